"""Training data on tiny shapes: stylizers and sources in torch, pairs of frames, pools, data sets on disk."""

from __future__ import annotations

import json
import pathlib
import sys

import cv2
import numpy as np
import pytest
import torch

from movie_training import (
    datasets, folders, instructions, motion, on_device, pair_pool, shifted, sources, stylizers, torch_camera,
    torch_draws, torch_sources, torch_stylizers, whole,
)


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    return -10 * np.log10(np.mean((np.asarray(first) - np.asarray(second)) ** 2) + 1e-12)


def only(edit: str) -> dict[str, float]:
    return {name: 0 for name in stylizers.NAMES if name != edit}


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """A photograph and a procedural scene, [2, 96, 128, 3]."""
    rng = np.random.default_rng(3)
    return np.stack([sources.kept_out("astronaut", 128, 96), sources.augment(rng, sources.procedural(rng, 96, 128))])


@pytest.mark.parametrize("edit", stylizers.NAMES)
def test_a_torch_stylizer_is_the_opencv_one(edit, pictures):
    """To the picture's very edge, so a wrong border, sign, kernel or channel shows."""
    expected = np.stack([stylizers.stylize(edit, picture) for picture in pictures])
    edited = torch_stylizers.stylize(edit, torch.from_numpy(pictures).permute(0, 3, 1, 2))
    assert edited.dtype == torch.float32
    for one, other in zip(edited.permute(0, 2, 3, 1).numpy(), expected):
        assert psnr(one, other) > 50


def test_stylizers_and_sources_stay_exact_inside_autocast(pictures):
    batch = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    with torch.autocast("cpu", torch.bfloat16):
        inside = torch_stylizers.stylize("pencil", batch)
        drawn = torch_sources.sample(torch.Generator().manual_seed(1), 2, 72, 72, "cpu")
    assert inside.equal(torch_stylizers.stylize("pencil", batch))
    assert drawn.equal(torch_sources.sample(torch.Generator().manual_seed(1), 2, 72, 72, "cpu"))


def test_flow_leads_back_to_the_first_frame():
    """Where a flow can be trusted, the first frame looked up along it is the second one; most of it can be trusted."""
    canvas, other = (torch.from_numpy(np.stack([smooth_scene(seed + index) for index in range(6)])) for seed in (1, 7))
    first, second, flow = motion.neighbours(canvas, other, torch.Generator().manual_seed(2), 64, 80)
    assert first.shape == second.shape == (6, 3, 64, 80) and flow.shape == (6, 3, 64, 80)
    positions = torch_stylizers.pixel_positions(flow) + flow[:, :2]
    back, seen = torch_stylizers.look_up(first, positions, "bicubic"), flow[:, 2:]
    light = (second * seen).sum((2, 3), keepdim=True) / (back * seen).sum((2, 3), keepdim=True)
    wrong = torch_stylizers.look_up(first, torch_stylizers.pixel_positions(flow) - flow[:, :2], "bicubic")
    for index in range(6):
        error, opposite = (((picture * light - second)[index] * seen[index]).abs().mean() for picture in (back, wrong))
        assert error < 0.004 and seen[index].mean() > 0.6
        assert opposite > 3 * error or flow[index, :2].abs().max() < 1
    assert (flow[:, :2].abs().amax((1, 2, 3)) > 1).any() and (seen == 0).any()


def smooth_scene(seed: int) -> np.ndarray:
    """[3, 112, 128] without the fine detail that interpolation loses."""
    scene = sources.procedural(np.random.default_rng(seed), 112, 128)
    return np.clip(stylizers.blur(scene, 1.5), 0, 0.9).transpose(2, 0, 1)


@pytest.fixture(scope="module")
def pair_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "pairs.npy"
    sys.argv = ["pair_pool", str(path), "--count", "6", "--size", "48"]
    pair_pool.main()
    return path


def assert_flow_leads_back(first, second, flow) -> None:
    """Where much moves, the first frame looked up along the flow is far nearer to the second than as it stands."""
    positions = torch_stylizers.pixel_positions(flow) + flow[:, :2]
    inside = ((positions > -0.5) & (positions < flow.shape[-1] - 0.5)).all(1, keepdim=True)
    assert not (flow[:, 2:] * ~inside).any()
    light = second.source.mean((2, 3), keepdim=True) - first.source.mean((2, 3), keepdim=True)
    back = torch_stylizers.look_up(first.source, positions, "bicubic")
    moved, still = (((picture + light - second.source) * flow[:, 2:]).abs().mean((1, 2, 3))
                    for picture in (back, first.source))
    much = still > 0.04
    assert much.sum() >= 2 and (moved[much] < 0.5 * still[much]).all(), (moved, still)


def test_a_pool_of_pairs_gives_crops_that_belong_together(pair_file):
    pool = pair_pool.PairPool([pair_file], {"data": {"edit_weights": only("sepia")}})
    first, second, flow = pool.draw_pairs(np.random.default_rng(4), 8, 32)
    assert first.edits == second.edits == ["sepia"] * 8 and first.prompts == second.prompts
    for batch in (first, second):
        assert batch.source.shape == batch.edited.shape == (8, 3, 32, 32) and batch.source.dtype == torch.float32
        expected = torch_stylizers.stylize("sepia", batch.source / 2 + 0.5) * 2 - 1
        assert (expected - batch.edited).abs().max() < 0.03
    assert flow.shape == (8, 3, 32, 32)
    assert_flow_leads_back(first, second, flow)


def test_a_pool_cuts_flow_and_frames_alike(tmp_path):
    """Frames whose colours count rows and columns, with a flow that counts them too (in less than a pixel)."""
    shape = (1, 2, len(stylizers.LOCAL), 40, 40)
    frames, flow = np.zeros((*shape, 3), np.uint8), np.ones((1, 3, 40, 40), np.float16)
    rows, columns = np.mgrid[0:40, 0:40]
    frames[..., 0], frames[..., 1] = columns, rows
    flow[:, 0], flow[:, 1] = columns / 64, rows / 64
    path = tmp_path / "counted.npy"
    np.save(path, frames)
    for file, content in zip(pair_pool.files(path), (flow, "1")):
        file.write_text(content) if isinstance(content, str) else np.save(file.open("wb"), content)
    first, _, drawn = pair_pool.PairPool([path], {}).draw_pairs(np.random.default_rng(1), 8, 24)
    identity = first.source[:, :2] * 127.5 + 127.5
    torch.testing.assert_close(drawn[:, :2].abs() * 64, identity, atol=0.1, rtol=0)
    assert (drawn[:, 0].amax((1, 2)) <= 0).any() and (drawn[:, 0].amax((1, 2)) > 0).any()  # some are mirrored


def test_the_border_is_cut_off_frames_and_flow_alike():
    errors = []
    for index in (4, 5, 6, 7, 8, 9):
        frames, flow = pair_pool.one(11, index, 64)
        first, second = (torch.from_numpy(frame[0]).permute(2, 0, 1)[None] / 255 for frame in frames)
        flow = torch.from_numpy(flow)[None].float()
        back = torch_stylizers.look_up(first, torch_stylizers.pixel_positions(flow) + flow[:, :2], "bicubic")
        light = (second * flow[:, 2:]).sum() / (back * flow[:, 2:]).sum()
        errors.append(((back * light - second).abs() * flow[:, 2:]).mean())
    assert max(errors) < 0.02, errors


def test_a_pool_of_pairs_goes_on_where_it_stopped(pair_file):
    before = np.load(pair_file)
    pair_pool.files(pair_file)[1].write_text("5")
    pair_pool.main()
    np.testing.assert_array_equal(np.load(pair_file), before)
    with pytest.raises(ValueError, match="not of 4 at 48: give its own"):
        pair_pool.open_pool(pair_file, 4, 48)


def test_noise_differs_between_frames_and_spares_the_edits(pair_file):
    quiet, noisy = (pair_pool.PairPool([pair_file], {}, noise=noise).draw_pairs(np.random.default_rng(1), 2, 32)
                    for noise in (0, 0.02))
    assert noisy[0].edited.equal(quiet[0].edited)
    difference = [(noisy[frame].source - quiet[frame].source) for frame in (0, 1)]
    assert difference[0].std() > 0.002 and not difference[0].equal(difference[1])


def test_shifted_frames_show_one_picture_and_one_noise(pair_file):
    """Along the flow second frames equal first ones exactly, sources with their noise and edits alike."""
    always = shifted.Shifted(pair_pool.PairPool([pair_file], {}, noise=0.02), 1.0)
    first, second, flow = always.draw_pairs(np.random.default_rng(3), 12, 32)
    assert {pictures.shape for pictures in (first.source, second.source, second.edited)} == {(12, 3, 32, 32)}
    moved = set()
    for sample in range(12):
        x, y = (int(value) for value in flow[sample, :2, 0, 0])
        moved.add((x, y))
        assert x % 2 or y % 2
        rows, columns = torch.nonzero(flow[sample, 2], as_tuple=True)
        assert len(rows) == (32 - abs(x)) * (32 - abs(y))
        for before, after in ((first.source, second.source), (first.edited, second.edited)):
            assert after[sample][:, rows, columns].equal(before[sample][:, rows + y, columns + x])
    assert len(moved) > 3 and second.prompts == first.prompts
    plain = shifted.Shifted(always.pairs, 0.0).draw_pairs(np.random.default_rng(3), 2, 32)[2]
    assert plain[:, :2].frac().abs().max() > 0


def test_shifts_are_odd_somewhere_and_reach_both_ways():
    shifts = shifted.draw_shifts(np.random.default_rng(1), 2000)
    assert (shifts % 2).any(1).all() and shifts.min() == -shifted.REACH and shifts.max() == shifted.REACH
    assert np.abs(shifts.mean(0)).max() < 0.2


def test_wrong_pools_and_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="pair_pool"):
        pair_pool.PairPool([tmp_path / "none.npy"], {})
    with pytest.raises(ValueError, match="neno"):
        instructions.Instructions({"neno": 1})


def energy(pictures: torch.Tensor) -> float:
    return float(pictures.diff(dim=-1).square().mean())


@pytest.mark.parametrize("share", [0, 1])
def test_torch_sources_have_the_statistics_of_the_others(share):
    drawn = torch_sources.sample(torch.Generator().manual_seed(5), 48, 80, 96, "cpu", share)
    rng = np.random.default_rng(5)
    expected = torch.from_numpy(np.stack([sources.sample(rng, 80, 96, share) for _ in range(48)])).permute(0, 3, 1, 2)
    assert drawn.shape == (48, 3, 80, 96) and drawn.min() >= 0 and drawn.max() <= 1
    assert drawn.mean() == pytest.approx(expected.mean().item(), abs=0.1)
    assert drawn.std((2, 3)).mean() == pytest.approx(expected.std((2, 3)).mean().item(), rel=0.3)
    assert energy(drawn) == pytest.approx(energy(expected), rel=0.6)
    assert drawn.mean((1, 2, 3)).std() > 0.08  # they differ from each other


def test_the_generator_decides_the_sources():
    first, same, other = (torch_sources.sample(torch.Generator().manual_seed(seed), 3, 72, 72, "cpu")
                          for seed in (1, 1, 2))
    assert first.equal(same) and not first.equal(other)
    with pytest.raises(ValueError, match="generator is on cpu"):
        torch_sources.sample(torch.Generator(), 1, 72, 72, "meta")


def test_torch_sources_read_only_the_training_photographs(monkeypatch):
    read = []
    monkeypatch.setattr(sources, "load", lambda path: read.append(path) or np.zeros((40, 60, 3), np.float32))
    torch_sources.photographs.__wrapped__(torch.device("cpu"))
    assert set(read) == set(sources.TRAINING) and not set(read) & set(sources.KEPT_OUT.values())


def test_crops_of_a_photograph_are_neither_shifted_nor_swapped():
    """A ramp stays a ramp: its colour tells where each pixel comes from, at every scale in the pyramid."""
    rows, columns = 240, 320
    x, y = torch_stylizers.pixel_positions(torch.empty(1, 1, rows, columns)).split(1, 1)
    sizes = torch_sources.pyramid(torch.cat([x / columns, y / rows, 0 * x], 1))
    draws = [torch_draws.Draws(torch.Generator().manual_seed(3), 12) for _ in range(2)]
    picture = torch_sources.crops(draws[0], sizes, 64, 64)
    place, _ = torch_sources.crop_positions(draws[1], rows, columns, 64, 64)
    inner = ((place > 8) & (place < torch.tensor([columns - 9, rows - 9]).view(1, 2, 1, 1))).all(1)
    for channel, size in enumerate((columns, rows)):
        assert ((picture[:, channel] * size - place[:, channel])[inner].abs() < 0.3).all()


def test_jpeg_on_the_device_is_like_opencv(pictures):
    for quality in (40, 90):
        batch = torch.from_numpy(pictures).permute(0, 3, 1, 2)
        quantized = torch_camera.jpeg(batch, torch.full((2, 1, 1, 1), float(quality)))
        for one, picture in zip(quantized.permute(0, 2, 3, 1).numpy(), pictures):
            _, encoded = cv2.imencode(".jpg", (picture[..., ::-1] * 255).round().astype(np.uint8),
                                      [cv2.IMWRITE_JPEG_QUALITY, quality])
            expected = cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1] / 255
            assert psnr(one, expected) > psnr(picture, expected) + 3


def test_on_device_triplets_are_their_edits():
    data = whole.WholeFrames(on_device.OnDevice({"train": {"edit_weights": {"night": 0}}}, "cpu", chunk=8))
    drawn = [data.draw(rng, 4, 48) for rng in (np.random.default_rng(1), None)]  # the second batch is made already
    for batch in drawn:
        assert batch.source.shape == batch.edited.shape == (4, 3, 48, 48)
        assert len(batch.prompts) == len(batch.edits) == 4
        assert "night" not in batch.edits
        for source, edited, edit in zip(batch.source, batch.edited, batch.edits):
            expected = torch_stylizers.stylize(edit, source[None] / 2 + 0.5)[0]
            assert ((expected - (edited / 2 + 0.5))[:, 20:-20, 20:-20].abs().mean()) < 0.03, edit
    assert not drawn[0].source.equal(drawn[1].source)


def test_on_device_pairs_belong_together():
    data = on_device.OnDevice({"data": {"edit_weights": only("thermal")}}, "cpu")
    first, second, flow = data.draw_pairs(np.random.default_rng(8), 6, 48)
    assert first.edits == second.edits == ["thermal"] * 6 and first.prompts == second.prompts
    assert_flow_leads_back(first, second, flow)
    edited = torch_stylizers.look_up(first.edited, torch_stylizers.pixel_positions(flow) + flow[:, :2])
    assert ((edited - second.edited) * flow[:, 2:]).abs().mean() < 0.7 * (first.edited - second.edited).abs().mean()


def write_pair(folder: pathlib.Path, names: tuple[str, str]) -> None:
    """A red-to-black ramp and the same in blue."""
    ramp = np.linspace(0, 128, 80) + np.linspace(0, 127, 60)[:, None]
    for name, channel in zip(names, (2, 0)):  # OpenCV writes blue first
        picture = np.zeros((60, 80, 3))
        picture[..., channel] = ramp
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), picture.astype(np.uint8))


def assert_crops_belong_together(batch) -> None:
    assert batch.source.shape == batch.edited.shape == (5, 3, 32, 32) and batch.source.dtype == torch.float32
    assert batch.prompts == ["make it blue"] * 5 and batch.edits == [""] * 5
    assert (batch.source[:, 0] - batch.edited[:, 2]).abs().max() < 0.15
    assert batch.source[:, 0].diff(dim=-1).abs().mean() > 0.01
    assert (batch.source[:, 1:] < -0.8).all() and batch.source.min() >= -1 and batch.source.max() <= 1


def test_a_folder_of_triplets(tmp_path):
    write_pair(tmp_path, ("pictures/a.png", "pictures/b.png"))
    line = json.dumps({"source": "pictures/a.png", "edited": "pictures/b.png", "prompt": "make it blue"})
    (tmp_path / "triplets.jsonl").write_text(f"{line}\n\n{line}\n")
    opened = datasets.open_triplets({"data": {"kind": "triplets", "paths": [str(tmp_path)] * 2}}, "cpu")
    assert len(opened) == 4
    assert_crops_belong_together(opened.draw(np.random.default_rng(0), 5, 32))


def test_a_broken_folder_of_triplets_is_told_in_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder at"):
        folders.TripletFolder(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="no triplets.jsonl"):
        folders.TripletFolder(tmp_path)
    listing = tmp_path / "triplets.jsonl"
    listing.write_text("\n")
    with pytest.raises(ValueError, match="has no triplets"):
        folders.TripletFolder(tmp_path)
    for broken in ("{", "[]", '{"source": "a.png", "edited": 3, "prompt": "x"}'):
        listing.write_text(f"\n{broken}\n")
        with pytest.raises(ValueError, match="line 2 of .*source, edited and prompt"):
            folders.TripletFolder(tmp_path)
    listing.write_text('{"source": "a.png", "edited": "b.png", "prompt": "x"}')
    data = folders.TripletFolder(tmp_path)
    with pytest.raises(FileNotFoundError, match="no picture at .*a.png"):
        data.draw(np.random.default_rng(0), 1, 16)
    write_pair(tmp_path, ("a.png", "b.png"))
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="cannot read the picture .*b.png"):
        data.draw(np.random.default_rng(0), 1, 16)
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((40, 80, 3), np.uint8))
    with pytest.raises(ValueError, match="b.png: a source of 80 x 60 has an edited picture of 80 x 40"):
        data.draw(np.random.default_rng(0), 1, 16)


def test_instruct_pix2pix_on_disk(tmp_path):
    folder = tmp_path / "shard-00" / "0000123"
    write_pair(folder, ("77_0.jpg", "77_1.jpg"))
    (folder / "prompt.json").write_text('{"caption": "a ramp", "edit": "make it blue", "output": "a blue ramp"}')
    (folder / "metadata.jsonl").write_text(json.dumps({"seed": 77, "clip_sim_dir": 0.3}))
    (tmp_path / "seeds.json").write_text(json.dumps([["shard-00/0000123", ["77"]]]))
    opened = datasets.open_triplets({"data": {"kind": "instruct_pix2pix", "paths": [str(tmp_path)]}}, "cpu")
    assert_crops_belong_together(opened.draw(np.random.default_rng(0), 5, 32))
    (folder / "prompt.json").write_text("{}")
    with pytest.raises(ValueError, match="no text `edit`"):
        opened.draw(np.random.default_rng(0), 1, 32)
    for listing, sentence in (("[]", "lists no pictures"), ("{", "as JSON"), ("[3]", "must be a list of")):
        (tmp_path / "seeds.json").write_text(listing)
        with pytest.raises(ValueError, match=sentence):
            folders.open_instruct_pix2pix(tmp_path)
    (tmp_path / "seeds.json").unlink()
    with pytest.raises(FileNotFoundError, match="neither seeds.json nor"):
        folders.open_instruct_pix2pix(tmp_path)


def test_instruct_pix2pix_as_parquet(tmp_path):
    arrow, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    write_pair(tmp_path, ("a.png", "b.png"))
    cells = [[{"bytes": (tmp_path / name).read_bytes(), "path": name}] * 3 for name in ("a.png", "b.png")]
    table = arrow.table({"original_image": cells[0], "edit_prompt": ["make it blue"] * 3, "edited_image": cells[1]})
    (tmp_path / "data").mkdir()
    parquet.write_table(table, tmp_path / "data" / "train-0.parquet", row_group_size=2)
    data = folders.open_instruct_pix2pix(tmp_path)
    assert len(data) == 3
    assert_crops_belong_together(data.draw(np.random.default_rng(0), 5, 32))
    parquet.write_table(table.drop_columns(["edit_prompt"]), tmp_path / "data" / "train-0.parquet")
    with pytest.raises(ValueError, match="no column edit_prompt"):
        folders.open_instruct_pix2pix(tmp_path)


def test_parquet_without_pyarrow_is_told_in_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "train.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="install pyarrow"):
        folders.open_instruct_pix2pix(tmp_path)


@pytest.mark.parametrize("data, sentence", [
    ({"kind": "video"}, "'video': it must be one of pools"), ({"kind": "pools"}, "data.paths is empty"),
    ({"kind": "triplets", "paths": "a"}, "data.paths is 'a': it must be a list"),
])
def test_wrong_data_settings_are_named(data, sentence):
    with pytest.raises(ValueError, match=sentence):
        datasets.open_triplets({"data": data}, "cpu")
    with pytest.raises(ValueError, match="data.pairs is empty"):
        datasets.open_pairs({"data": data}, "cpu")


def test_the_settings_choose_the_data(pair_file, tmp_path):
    made = {"data": {"kind": "on_device"}}
    assert isinstance(datasets.open_triplets(made, "cpu").data, on_device.OnDevice)
    assert isinstance(datasets.open_pairs(made, "cpu").data, on_device.OnDevice)
    pairs = datasets.open_pairs({"data": {"pairs": [str(pair_file)]}}, "cpu")
    assert isinstance(pairs.data, pair_pool.PairPool)
    both = datasets.open_pairs({"data": {"pairs": [str(pair_file)], "shifted": 0.5}}, "cpu")
    assert isinstance(both.data, shifted.Shifted) and both.data.share == 0.5
    with pytest.raises(ValueError, match="data.shifted is 7"):
        datasets.open_pairs({"data": {"pairs": [str(pair_file)], "shifted": 7}}, "cpu")
    with pytest.raises(ValueError, match="the crop is 50 pixels; the pool's pairs have 48"):
        pairs.draw_pairs(np.random.default_rng(0), 1, 50)
    np.save(tmp_path / "pool.npy", np.zeros((1, len(stylizers.LOCAL), 32, 32, 3), np.uint8))
    (tmp_path / "pool.npy.count").write_text("1")
    pool = datasets.open_triplets({"data": {"paths": [str(tmp_path / "pool.npy")]}}, "cpu")
    assert pool.draw(np.random.default_rng(0), 2, 32).source.shape == (2, 3, 32, 32)
