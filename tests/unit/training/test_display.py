"""The terminal shows a bar for each step and curves of training and validation."""

import io

from rich.console import Console

from mien.training.display import JobDisplay


def shown(epochs: int) -> str:
    console = Console(file=io.StringIO(), width=100)
    with JobDisplay(console) as display:
        display.tell("embedding", 5, 5)
        for number in range(1, epochs + 1):
            display.tell(
                "training",
                number,
                10,
                loss=1 / number,
                accuracy=1 - 1 / number,
                validation_loss=2 / number,
                validation_accuracy=0.5,
            )
            display._render()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_bars_show_how_far_each_step_is() -> None:
    text = shown(3)
    assert "embedding" in text
    assert "5/5" in text
    assert "3/10" in text


def test_two_curves_are_drawn_however_often_they_were_before() -> None:
    text = shown(8)
    assert text.count("epoch") == 2
    for name in ("loss", "accuracy", "training", "validation"):
        assert name in text


def test_one_epoch_is_no_curve_yet() -> None:
    assert "loss" not in shown(1)
