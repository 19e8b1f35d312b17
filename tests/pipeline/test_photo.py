"""Photo intake: eight orientations, every mode of pixel, and whatever a stranger may send."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.errors import BodyTooLarge, ImageTooLarge, PillscopeError, UndecodableImage, UnsupportedImage
from pipeline.photo import BACKDROP, MAX_JPEG_SCANS, Photo, PhotoLimits, read_photo

STORED_AS = {  # how a camera that writes this EXIF orientation stores an upright picture (the inverse of showing it)
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Smooth colour blotches: survives JPEG, and no symmetry hides a wrong orientation."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png(width: int, height: int, bits: int, color: int, rows: bytes) -> bytes:
    """A PNG written by hand, so that its header may lie. `rows`: the decompressed scan lines."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


@given(orientation=st.sampled_from(sorted(STORED_AS)), width=st.integers(1, 40), height=st.integers(1, 40))
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_eight_orientations_one_answer(kind: str, orientation: int, width: int, height: int) -> None:
    upright = picture(width, height, seed=width * 41 + height)
    transposition = STORED_AS[orientation]
    stored = upright if transposition is None else upright.transpose(transposition)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    photo = read_photo(encode(stored, kind, exif=exif, **options))
    assert (photo.width, photo.height) == (width, height)
    assert np.array_equal(photo.pixels, np.asarray(upright))


@pytest.mark.parametrize("orientation", sorted(STORED_AS))
def test_jpeg_is_turned_once_also_when_decoded_small(orientation: int) -> None:
    upright = picture(4000, 3000)
    transposition = STORED_AS[orientation]
    stored = upright if transposition is None else upright.transpose(transposition)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = read_photo(encode(stored, "JPEG", quality=92, exif=exif))
    assert (photo.width, photo.height, photo.scale) == (4000, 3000, 0.5)
    assert photo.pixels.shape == (1500, 2000, 3)
    assert np.abs(photo.pixels.astype(int) - np.asarray(upright.reduce(2)).astype(int)).mean() < 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "scale"),
    [
        ((1600, 900), 1.0),
        ((3199, 20), 1.0),
        ((3200, 2400), 0.5),
        ((3001, 3201), 0.5),
        ((6400, 3), 0.25),
        ((8000, 5), 0.25),
    ],
)
def test_long_side_stays_at_1600_or_more(kind: str, size: tuple[int, int], scale: float) -> None:
    photo = read_photo(encode(picture(*size), kind))
    assert (photo.width, photo.height, photo.scale) == (*size, scale)
    expected = tuple(-(-side // round(1 / scale)) for side in (size[1], size[0]))
    assert photo.pixels.shape[:2] == expected
    assert max(expected) >= 1600


def test_transparency_shows_the_backdrop() -> None:
    rgba = Image.new("RGBA", (4, 4), (255, 255, 255, 255))
    rgba.putpixel((0, 0), (255, 0, 0, 0))
    pixels = read_photo(encode(rgba, "PNG")).pixels
    assert tuple(pixels[0, 0]) == BACKDROP
    assert tuple(pixels[1, 1]) == (255, 255, 255)


def test_palette_with_a_transparent_entry_shows_the_backdrop() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    pixels = read_photo(encode(image, "PNG", transparency=0)).pixels
    assert [tuple(p) for p in pixels[0]] == [BACKDROP, (0, 0, 255)]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_png_mode_becomes_rgb(mode: str) -> None:
    image = picture(9, 6).convert(mode)
    pixels = read_photo(encode(image, "PNG")).pixels
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, np.asarray(image.convert("RGB")))


def test_16_bit_gray_is_scaled_not_clipped() -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", 0, 0x8000, 0xFFFF) for _ in range(2))
    assert read_photo(png(3, 2, 16, 0, rows)).pixels[0, :, 0].tolist() == [0, 128, 255]


def test_16_bit_rgb() -> None:
    rows = b"\0" + struct.pack(">6H", 0, 0x8000, 0xFFFF, 0xFFFF, 0, 0x4000)
    assert read_photo(png(2, 1, 16, 2, rows)).pixels[0].tolist() == [[0, 128, 255], [255, 0, 64]]


def test_cmyk_and_gray_jpeg() -> None:
    image = picture(64, 48)
    for mode in ("CMYK", "L"):
        pixels = read_photo(encode(image.convert(mode), "JPEG", quality=95)).pixels
        assert np.abs(pixels.astype(int) - np.asarray(image.convert(mode).convert("RGB")).astype(int)).mean() < 4


def test_a_phone_jpeg_with_a_second_picture_is_a_photo() -> None:
    first, second = picture(60, 40), picture(60, 40, seed=1)
    data = encode(first, "MPO", save_all=True, append_images=[second], quality=95)
    assert data.startswith(b"\xff\xd8\xff")
    assert np.abs(read_photo(data).pixels.astype(int) - np.asarray(first).astype(int)).mean() < 4


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_refused(kind: str) -> None:
    data = encode(picture(8, 8), kind, save_all=True, append_images=[picture(8, 8, seed=1)], duration=100)
    with pytest.raises(UnsupportedImage):
        read_photo(data)


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "ICO", "PDF", "PPM", "EPS"])
def test_other_formats_are_refused_whatever_they_are_called(kind: str) -> None:
    with pytest.raises(UnsupportedImage):
        read_photo(encode(picture(32, 32), kind))


@pytest.mark.parametrize(
    "data",
    [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"hello", b"\0" * 64, b"RIFF\x10\0\0\0WAVEfmt ", b"SIMPLE  ="],
)
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedImage):
        read_photo(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_cut_off_files_are_undecodable(kind: str) -> None:
    data = encode(picture(200, 150), kind)
    for keep in (12, len(data) // 2, len(data) * 9 // 10):
        with pytest.raises(UndecodableImage):
            read_photo(data[:keep])


def test_an_empty_file_is_undecodable() -> None:
    with pytest.raises(UndecodableImage):
        read_photo(b"")


def test_too_many_bytes() -> None:
    with pytest.raises(BodyTooLarge):
        read_photo(b"\xff\xd8\xff" + b"\0" * 10_000_000)


@pytest.mark.parametrize(("width", "height"), [(8000, 5001), (12_001, 1), (1, 12_001)])
def test_too_many_pixels_or_too_long_a_side(width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge):
        read_photo(png(width, height, 1, 0, b""))


def test_exactly_the_limit_is_taken() -> None:
    limits = PhotoLimits(max_pixels=1200, max_side=40)
    assert read_photo(encode(picture(40, 30), "PNG"), limits).pixels.shape == (30, 40, 3)
    with pytest.raises(ImageTooLarge):
        read_photo(encode(picture(41, 29), "PNG"), limits)


def webp_header(chunk: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 22) + b"WEBP" + chunk + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    "data",
    [
        webp_header(b"VP8X", b"\0\0\0\0" + (16_382).to_bytes(3, "little") * 2),
        webp_header(b"VP8L", b"\x2f" + struct.pack("<I", 16_382 | 16_382 << 14) + b"\0" * 5),
        webp_header(b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383)),
    ],
)
def test_a_large_webp_canvas_is_refused_from_its_header(data: bytes) -> None:
    with pytest.raises(ImageTooLarge):
        read_photo(data)


def test_hidden_scans_are_refused() -> None:
    data = encode(picture(64, 64), "JPEG", progressive=True)
    assert read_photo(data).width == 64
    start = data.rindex(b"\xff\xda")
    with pytest.raises(UndecodableImage):
        read_photo(data[:start] + data[start:-2] * MAX_JPEG_SCANS + data[-2:])


def test_a_broken_exif_block_does_not_hide_the_photo() -> None:
    data = encode(picture(30, 20), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_photo(data).pixels.shape == (20, 30, 3)


MEMORY_SCRIPT = """
import resource, sys
from pipeline.errors import ImageTooLarge
from pipeline.photo import read_photo
data = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 64_000_000, size + 64_000_000))
try:
    read_photo(data)
except ImageTooLarge:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_bomb_takes_no_memory() -> None:
    """50,000 x 50,000 px in 300 KB: refused with less than 16 MB more in memory, under a hard limit."""
    row = b"\0" + b"\xff" * 6250
    bomb = png(50_000, 50_000, 1, 0, row * 50_000)
    assert len(bomb) < 1_000_000
    run = subprocess.run([sys.executable, "-c", MEMORY_SCRIPT], input=bomb, capture_output=True, check=True)
    assert int(run.stdout) < 16_000, run.stderr


SEEDS = {
    "jpeg": encode(picture(48, 36), "JPEG"),
    "progressive": encode(picture(48, 36), "JPEG", progressive=True),
    "png": encode(picture(24, 18), "PNG"),
    "palette": encode(picture(24, 18).convert("P"), "PNG"),
    "webp": encode(picture(48, 36), "WEBP"),
    "lossless": encode(picture(24, 18), "WEBP", lossless=True),
}


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real file with bytes changed, inserted, dropped, or spliced with another format."""
    data = bytearray(SEEDS[draw(st.sampled_from(sorted(SEEDS)))])
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["set", "insert", "drop", "splice"])):
            case "set":
                data[at] = draw(st.integers(0, 255))
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=12))
            case "drop":
                del data[at : at + draw(st.integers(1, 64))]
            case "splice":
                data[at:] = SEEDS[draw(st.sampled_from(sorted(SEEDS)))][at:]
        if not data:
            break
    return bytes(data)


SAFE_TEXTS = {
    "the file is empty",
    "photos must be JPEG, PNG or WebP",
    "animated images are not taken",
    "the JPEG has more scans than any camera writes",
    "an image may have at most 40000000 pixels and sides of at most 12000 pixels",
    *(f"the {kind} file is cut off or broken" for kind in ("JPEG", "PNG", "WEBP")),
}


def outcome(data: bytes) -> Photo | PillscopeError:
    try:
        return read_photo(data)
    except PillscopeError as error:
        return error


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
@example(b"\xff\xd8\xff")
@example(b"\x89PNG\r\n\x1a\n")
@example(b"RIFF\0\0\0\0WEBP")
def test_mutated_files_give_a_photo_or_a_typed_error(data: bytes) -> None:
    result = outcome(data)
    if isinstance(result, Photo):
        assert result.pixels.dtype == np.uint8
        assert result.pixels.shape == (result.height, result.width, 3)
        assert result.pixels.flags.c_contiguous
    else:
        assert type(result) in (BodyTooLarge, ImageTooLarge, UndecodableImage, UnsupportedImage)
        assert str(result) in SAFE_TEXTS  # nothing of a decoder's own text
        assert result.__cause__ is None
