from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.twin.demo_points import demo_point
from models.twin.layout import training_scene
from models.twin.scene import Bin, BinKind, Camera, Car, Person, Scene
from models.twin.seeds import TRAINING_SEEDS_FROM
from models.twin.story import scene_at
from models.twin.truth import ROOF_M, project, truth_boxes, truth_things

WIDTH, HEIGHT = 448, 336


def names(scene: Scene) -> list[str]:
    return sorted(box.class_name for box in truth_boxes(scene, 640, 360))


@settings(max_examples=40, deadline=None)
@given(st.integers(TRAINING_SEEDS_FROM, TRAINING_SEEDS_FROM + 5_000))
def test_boxes_lie_inside_the_picture(seed: int) -> None:
    for box in truth_boxes(training_scene(seed), WIDTH, HEIGHT):
        assert 0 <= box.x1 < box.x2 <= WIDTH
        assert 0 <= box.y1 < box.y2 <= HEIGHT
        assert 0 < box.visible <= 1
        relative = [float(word) for word in box.yolo(WIDTH, HEIGHT).split()[1:]]
        assert all(0 <= value <= 1 for value in relative)


def test_what_the_camera_looks_at_is_in_the_middle() -> None:
    camera = Camera((1.0, -4.0, 3.0), (0.2, 0.1, 0.5), 34, 2.0)
    pixels, depth = project(np.array([[0.2, 0.1, 0.5]]), camera, 640, 360)
    assert pixels[0] == pytest.approx((320, 180))
    assert depth[0] == pytest.approx(np.linalg.norm([0.8, 4.1, 2.5]))


def test_up_is_up_and_right_is_right() -> None:
    camera = Camera((0.0, -4.0, 3.0), (0.0, 0.0, 0.5), 34, 0.0)
    above_and_right = np.array([[0.0, 0.0, 1.0], [0.5, 0.0, 0.5]])
    pixels, _ = project(above_and_right, camera, 640, 360)
    assert pixels[0, 1] < 180
    assert pixels[1, 0] > 320


def test_closed_bins_are_bins_and_heaped_ones_overflow() -> None:
    point = demo_point("twin-01")
    assert names(scene_at(point, 0)) == ["garbage_bin"] * 3
    assert names(scene_at(point, 900)) == ["garbage", "garbage_bin", "overflow", "overflow"]
    assert names(scene_at(point, 1_500)) == ["garbage_bin"] * 3


def test_an_overflow_box_reaches_above_that_of_the_closed_bin() -> None:
    point = demo_point("twin-02")
    closed = truth_boxes(scene_at(point, 0), 640, 360)
    heaped = truth_boxes(replace(scene_at(point, 1_400), piles=()), 640, 360)
    for before, after in zip(closed, heaped, strict=True):
        assert after.y1 < before.y1
        assert (after.class_name, before.class_name) == ("overflow", "garbage_bin")


def test_a_van_in_front_hides_the_bins() -> None:
    scene = scene_at(demo_point("twin-07"), 0)
    assert len(names(scene)) == 4
    van = Car(0.0, -1.9, 0.0, (0.5, 0.5, 0.5), tall=True)
    assert len(names(replace(scene, cars=(van,)))) < 4


def test_a_person_beside_the_bins_hides_none_and_gets_no_box() -> None:
    scene = scene_at(demo_point("twin-08"), 0)
    person = Person(3.0, 0.0, 0.0, 1.7, (0, 0, 0), (0, 0, 0), 10.0)
    assert names(replace(scene, people=(person,))) == names(scene)


def test_the_roof_of_a_street_bin_belongs_to_it() -> None:
    scene = scene_at(demo_point("twin-01"), 0)
    steel = (0.5, 0.5, 0.5)
    bin_ = Bin(BinKind.STREET, 0.0, 0.0, 0.0, steel, steel, 0.0, 0.2)
    (box,) = truth_boxes(replace(scene, bins=(bin_,)), 640, 360)
    roof = bin_.size.height + bin_.size.roof + ROOF_M
    corners = np.array([[x, 0.19, roof] for x in (-0.47, 0.47)])
    pixels, _ = project(corners, scene.camera, 640, 360)
    assert box.class_name == "garbage_bin"
    assert box.y1 == pytest.approx(pixels[:, 1].min(), abs=3)


def test_masks_share_no_pixel_and_a_van_hides_what_it_stands_before() -> None:
    scene = scene_at(demo_point("twin-07"), 0)
    free = truth_things(scene, WIDTH, HEIGHT)
    van = Car(0.0, -1.9, 0.0, (0.5, 0.5, 0.5), tall=True)
    hidden = truth_things(replace(scene, cars=(van,)), WIDTH, HEIGHT)
    assert np.sum([thing.mask for thing in hidden], axis=0).max() == 1
    for before, after in zip(free, hidden, strict=False):
        assert after.occlusion >= before.occlusion
        assert after.seen + round(after.occlusion * after.inside) == after.inside
    assert max(thing.occlusion for thing in free) < 0.3
    assert max(thing.occlusion for thing in hidden[:4]) > 0.6
    assert hidden[-1].class_name == ""


def test_what_the_pictures_edge_cuts_off_is_not_occluded() -> None:
    scene = scene_at(demo_point("twin-07"), 0)
    aside = replace(scene.camera, look_at=(1.6, 0.0, 0.65))
    things = truth_things(replace(scene, camera=aside), WIDTH, HEIGHT)
    cut = [thing for thing in things if 0 < thing.inside < thing.whole]
    assert cut
    assert all(thing.visible < 1 - thing.occlusion + 1e-9 for thing in cut)
