"""What the sensor looks at."""

import io

import pytest
from PIL import Image

from hw.camera.scene import SceneError, scene

SIZE = (160, 120)


def decode(jpeg):
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image


def test_card_changes_with_the_frame_and_names_it():
    card = scene(None)
    one, two = (card.jpeg(n, n / 30, SIZE, 60) for n in (41, 42))
    assert one != two and b"frame 000041" in one and b"frame 000042" in two
    assert decode(one).size == SIZE
    assert card.jpeg(41, 41 / 30, SIZE, 60) == one


def test_an_image_fills_the_frame(tmp_path):
    path = tmp_path / "red.png"
    Image.new("RGB", (10, 10), "red").save(path)
    image = decode(scene(str(path)).jpeg(0, 0, SIZE, 90))
    assert image.size == SIZE
    red, green, blue = image.getpixel((80, 60))
    assert red > 240 and green < 20 and blue < 20


def test_a_folder_shows_its_images_in_turn(tmp_path):
    for name, colour in (("a.png", "red"), ("b.png", "blue"), ("notes.txt", None)):
        if colour:
            Image.new("RGB", (8, 8), colour).save(tmp_path / name)
        else:
            (tmp_path / name).write_text("no image")
    view = scene(str(tmp_path))
    colours = [decode(view.jpeg(0, t, SIZE, 90)).getpixel((5, 5))[0] > 128 for t in (0, 1, 2)]
    assert colours == [True, False, True]


@pytest.mark.parametrize("name, why", [("none.png", "no such file"), ("x.txt", "no image"),
                                       ("empty", "has no images")])  # fmt: skip
def test_what_is_no_picture_is_named(tmp_path, name, why):
    (tmp_path / "x.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SceneError, match=f"{name}.*{why}"):
        scene(str(tmp_path / name))
