"""CLIPTokenizer: texts and the token ids that transformers gives them, with a small vocabulary and with CLIP's own.

The fixture `tokenizer` uses the vocabulary of the fixture `whole-editor`. CLIP's own is too large to be committed; this
makes a folder of it, and cases of random texts, from the file `bpe_simple_vocab_16e6.txt.gz` of the open_clip_torch or
clip packages:

    PYTHONPATH=Training python Training/reference/tokenizer_cases.py bpe_simple_vocab_16e6.txt.gz FOLDER
    MOVIED_CLIP_VOCAB=FOLDER swift test --filter Tokenizer
"""

from __future__ import annotations

import argparse
import gzip
import json
import pathlib
import random
import tempfile
import unicodedata

from fixture import Fixture, write_json
from movie_training import text
from transformers import CLIPTokenizer

END = "<|endoftext|>"
BEGIN = "<|startoftext|>"

#: Each text, and how often it is repeated.
TEXTS: list[tuple[str, int]] = [(line, 1) for line in [
    "", " ", " \t\r\n ", "turn it into a pencil sketch", "  Make   it\tA Van\nGogh  painting!  ",
    "café CAFÉ", "cafe\u0301 CAFE\u0301", "ÅNGSTRÖM A\u030angstro\u0308m \u212b", "İstanbul ǅ ẞ ΣΑΣ ŉ ﬁ",
    "🎨 paint 🖌️🖼️!!", "👩‍👩‍👧‍👦👍🏽", "把它变成铅笔素描", "水彩画にして", "한국어 한국어", "в стиле Ван Гога", "रंगीन चित्र",
    "12 345.67 ½ Ⅷ ٣ ²", "4k 1080p x264", "IT'S I'M YOU'RE WE'VE I'LL HE'D DON'T", "'sky 'tis ''s 's's", "don’t it’s",
    f"a {END} b{END}c", f"{BEGIN}a{BEGIN}", f"!!{END}!!", "<|EndOfText|> <|STARTOFTEXT|>!! <|endoftext", "hi! there!!",
    "a\u0000b\u0007c\u001cd\u007f\u0085e\u00a0f\u200bg\u2028h\u3000i\ufeffj\u180ek", "a.b,c;d:e-f_g(h)[i]{j}@#$%^&*",
    "\u0301\u0301 \u200d", "tschüß naïve œuvre", "\U0001f1e9\U0001f1ea \U00020000",
]] + [("supercalifragilistic", 500), ("Ab1 é'S ", 1250), ("🎨", 10_000), ("<|endoftext|>", 800), ("'", 10_000)]

#: Files laid over the vocabulary: what a folder may say of its special tokens.
TOKEN = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
VARIANTS: dict[str, dict[str, dict]] = {
    "plain": {"tokenizer_config.json": {"model_max_length": 16}},
    "stable-diffusion": {
        "tokenizer_config.json": {"model_max_length": 20, "pad_token": END,
                                  "bos_token": {"__type": "AddedToken", "content": BEGIN, **TOKEN},
                                  "eos_token": {"__type": "AddedToken", "content": END, **TOKEN},
                                  "unk_token": {"__type": "AddedToken", "content": END, **TOKEN}},
        "special_tokens_map.json": {"bos_token": {"content": BEGIN, **TOKEN}, "eos_token": {"content": END, **TOKEN},
                                    "unk_token": {"content": END, **TOKEN}, "pad_token": END}},
    "open-clip": {
        "tokenizer_config.json": {"model_max_length": 12},
        "special_tokens_map.json": {"bos_token": {"content": BEGIN, **TOKEN}, "eos_token": {"content": END, **TOKEN},
                                    "unk_token": {"content": END, **TOKEN}, "pad_token": "!"}},
    "added-tokens": {
        "tokenizer_config.json": {
            "model_max_length": 14, "pad_token": "!",
            "added_tokens_decoder": {"0": {"content": "!", **TOKEN, "normalized": False, "special": True},
                                     "638": {"content": BEGIN, **TOKEN, "special": True},
                                     "639": {"content": END, **TOKEN, "special": True}}},
        "special_tokens_map.json": {"pad_token": END}},
}


def cases(tokenizer: CLIPTokenizer, texts: list[tuple[str, int]]) -> list[dict]:
    return [case(tokenizer, line, count) for line, count in texts]


def case(tokenizer: CLIPTokenizer, line: str, count: int) -> dict:
    """`ids` are padded and truncated; `tokens` is how many tokens the text has."""
    whole = line * count
    ids = tokenizer(whole, padding="max_length", truncation=True, max_length=tokenizer.model_max_length).input_ids
    return {"text": line, "count": count, "ids": ids, "tokens": len(tokenizer(whole).input_ids) - 2}


def write(folder: pathlib.Path) -> None:
    variants = {}
    with tempfile.TemporaryDirectory() as temporary:
        for name, files in VARIANTS.items():
            source = pathlib.Path(temporary) / name
            text.write_tokenizer(source, vocab_size=640, model_max_length=16)
            (source / "special_tokens_map.json").unlink()
            for file, contents in files.items():
                write_json(source / file, contents)
            tokenizer = CLIPTokenizer.from_pretrained(source)
            variants[name] = {"files": files, "cases": cases(tokenizer, TEXTS)}
            if name == "open-clip":
                tokenizer.save_pretrained(folder)  # the layout of tokenizer.json alone
                shrink(folder / "tokenizer.json")
    (folder / "cases.json").write_text(json.dumps(variants, separators=(",", ":")) + "\n")


def shrink(path: pathlib.Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False, separators=(",", ":")) + "\n")


FIXTURES = [Fixture("tokenizer", write)]


def write_clip_vocabulary(source: pathlib.Path, folder: pathlib.Path) -> None:
    """vocab.json and merges.txt of OpenAI's CLIP from its list of merges, as CLIP's own tokenizer reads that list."""
    lines = gzip.decompress(source.read_bytes()).decode().split("\n")[1:49152 - 256 - 2 + 1]
    alphabet = text.byte_alphabet()
    tokens = alphabet + [letter + "</w>" for letter in alphabet] + ["".join(line.split()) for line in lines]
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "vocab.json", {token: index for index, token in enumerate([*tokens, BEGIN, END])})
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines]) + "\n", encoding="utf-8")
    write_json(folder / "tokenizer_config.json", {"model_max_length": 77})


def random_text(rng: random.Random) -> str:
    """Pieces of words, scripts, symbols, spaces and arbitrary characters, if Python's Unicode tables know them.

    Letters of a later Unicode are letters to whichever side has the newer tables.
    """
    words = "a photo of cat Van GOGH's it's WE'LL don't 3d 1080p oil-painting ultra_realistic 8K café naïve".split()
    ranges = [(0x20, 0x7E), (0x20, 0x7E), (0, 0x2FF), (0x300, 0x36F), (0x370, 0x5FF), (0x900, 0xDFF), (0x2000, 0x2BFF),
              (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1100, 0x11FF), (0xFB00, 0xFFEF),
              (0x1F300, 0x1FAFF), (0x1D400, 0x1D7FF), (0, 0x2FFFF)]
    pieces = []
    for _ in range(rng.randrange(1, 30)):
        start, end = rng.choice(ranges)
        character = rng.randrange(start, end + 1)
        is_known = unicodedata.category(chr(character)) not in ("Cn", "Cs")
        letter = chr(character) if is_known else ""
        pieces += [rng.choice(words) if rng.random() < 0.4 else letter,
                   rng.choice(["", "", " ", "  ", "\n", "'", "!", END, "\u0301", "\u200d"])]
    return "".join(pieces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("merges", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    write_clip_vocabulary(arguments.merges, arguments.folder)
    rng = random.Random(20260)
    texts = TEXTS + [(random_text(rng), 1) for _ in range(500)]
    tokenizer = CLIPTokenizer.from_pretrained(arguments.folder)
    write_json(arguments.folder / "cases.json", {"clip": {"files": {}, "cases": cases(tokenizer, texts)}})


if __name__ == "__main__":
    main()
