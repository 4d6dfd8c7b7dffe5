"""A headless browser on the dashboard, for measurements."""

from typing import Final

from playwright.async_api import Page

from mien.simulator.clock_strip import BLOCKS

CHROMIUM: Final = "/usr/bin/chromium"
CHROMIUM_FLAGS: Final = [
    "--no-sandbox",  # Chromium refuses to run as root with its sandbox; it only ever sees our own pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Reads mien.simulator.clock_strip off a tile's canvas right after it was drawn, and keeps a sample.
READ_CLOCK_STRIP: Final = """
window.__samples = [];
window.__mien.onDrawn = (cameraId, canvas, frame) => {
  const drawnMs = Date.now();
  const side = canvas.width / BLOCKS;
  const row = canvas.getContext('2d').getImageData(0, Math.floor(side / 2), canvas.width, 1).data;
  const bits = [];
  for (let block = 0; block < BLOCKS; block++) {
    const at = 4 * Math.floor(side * (block + 0.5));
    bits.push(row[at] + row[at + 1] + row[at + 2] > 3 * 128 ? 1 : 0);
  }
  const number = (from, to) => bits.slice(from, to).reduce((value, bit) => value * 2 + bit, 0);
  const clock = number(2, 34);
  let parity = 0;
  for (let group = 2; group < 34; group += 4) parity ^= number(group, group + 4);
  const framed = bits[0] === 1 && bits[1] === 0 && bits[38] === 0 && bits[39] === 1;
  if (!framed || parity !== number(34, 38)) return;
  const wrap = 2 ** 32;
  window.__samples.push({
    camera_id: cameraId,
    age_ms: (((drawnMs % wrap) - clock) % wrap + wrap) % wrap,
    drawn_ms: drawnMs,
    captured_ms: frame.captured_at_ns / 1e6,
    detected_ms: frame.detected_at_ns / 1e6,
    sent_ms: frame.sent_at_ns / 1e6,
    faces: frame.faces.length,
  });
};
null;  // Playwright would call a function that an expression ends with
""".replace("BLOCKS", str(BLOCKS))


async def sign_in(
    page: Page, base_url: str, *, username: str, password: str, until: str = "[data-camera-id]"
) -> None:
    """Sign in as a person would and wait for the live page's first tile, or what else is there by then."""
    await page.goto(base_url)
    await page.get_by_label("User name").fill(username)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_selector(until, timeout=20_000)
