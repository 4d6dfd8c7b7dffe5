"""How right Mien reads emotions, beside its peers, on people that nothing was trained or chosen on."""
