"""The comparison from end to end, with a tiny model and a stand-in for our engine."""

from __future__ import annotations

import json
import pathlib

import compare_peers
import pytest

pytest.importorskip("openvino")
pytest.importorskip("nncf")


def compare(tiny: pathlib.Path, tmp_path: pathlib.Path, *options: str) -> list[dict]:
    out = tmp_path / "rows.json"
    compare_peers.main(["--size", "64x64", "--rounds", "2", "--turn", "0.01", "--cache", str(tmp_path / "cache"),
                        "--model", str(tiny), "--paper", str(tiny), "--json", str(out), *options])
    return json.loads(out.read_text())


def percentage(line: str) -> float:
    """How far off a line says the outputs are."""
    return float(line.split(" % off")[0].split()[-1])


def test_rows_of_an_encoder(tiny, tmp_path, fake_bench, capsys):
    rows = compare(tiny, tmp_path, "--work", "vae-encoder", "--peer", "openvino-int8", "--peer", "pytorch",
                   "--movie-bench", str(fake_bench), "--paper-int8", str(tiny))
    assert [(row["work"], row["peer"]) for row in rows] == [
        ("vae-encoder", "openvino-int8"), ("vae-encoder", "pytorch")]
    for row in rows:
        assert set(row) == {"work", "peer", "ours_ms", "peer_ms", "ratio"}
        assert row["ours_ms"] == 2 and row["peer_ms"] > 0
        assert row["ratio"] == pytest.approx(row["ours_ms"] / row["peer_ms"], rel=0.01)
    ours, quantized, pytorch = [percentage(line) for line in capsys.readouterr().out.splitlines()]
    assert ours < 0.001 and pytorch < 0.001 and 0.01 < quantized < 20


def test_a_whole_frame_is_split_and_still_right(tiny, tmp_path, capsys):
    """What the prompt alone decides is computed once; the picture must not change by it."""
    rows = compare(tiny, tmp_path, "--work", "nano-frame", "--peer", "openvino-float", "--without-ours")
    assert rows[0]["ours_ms"] is None and rows[0]["ratio"] is None
    likeness = float(capsys.readouterr().out.split(" dB")[0].split()[-1])
    assert likeness > 45


@pytest.mark.parametrize("options, words", [
    (["--size", "64"], "the size is '64'"), (["--size", "60x64"], "multiples of 8"),
    (["--threads", "0"], "--threads is 0"),
    (["--calibrate", "absent.mp4"], "absent.mp4 does not exist"), (["--model", "absent"], "absent is no model folder"),
    ([], "our int8 needs a quantized folder"),
    (["--precision", "float", "--movie-bench", "absent"], "absent cannot be started"),
])
def test_what_cannot_work_ends_with_a_sentence(tiny, tmp_path, options, words):
    with pytest.raises(SystemExit, match=words):
        compare(tiny, tmp_path, "--work", "vae-encoder", "--peer", "pytorch", *options)


def test_a_paper_model_is_needed_for_its_works():
    with pytest.raises(SystemExit, match="--paper is missing"):
        compare_peers.main(["--work", "unet"])
