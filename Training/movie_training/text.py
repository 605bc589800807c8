"""The prompt encoder: a small CLIPTextModel with a byte-pair vocabulary of its own, in CLIP's file format."""

from __future__ import annotations

import json
import pathlib
from collections import Counter

import torch
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from . import prompts, stylizers


def byte_alphabet() -> list[str]:
    """The 256 printable characters that stand for bytes in CLIP's and GPT-2's vocabularies, in CLIP's order."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]


def learn_merges(sentences: list[str], count: int) -> list[tuple[str, str]]:
    """Byte-pair encoding: joins the most frequent neighbours until `count` merges are learned or no pair repeats."""
    words = Counter(word for sentence in sentences for word in sentence.replace("'", " '").split())
    pieces = {word: [*word[:-1], word[-1] + "</w>"] for word in words}
    merges: list[tuple[str, str]] = []
    while len(merges) < count:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, parts in pieces.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for word, parts in pieces.items():
            joined: list[str] = []
            for part in parts:
                if joined and (joined[-1], part) == best:
                    joined[-1] += part
                else:
                    joined.append(part)
            pieces[word] = joined
    return merges


def write_tokenizer(folder: pathlib.Path, vocab_size: int, model_max_length: int) -> None:
    """vocab.json and merges.txt (CLIP's layout) learned from every training sentence."""
    alphabet = byte_alphabet()
    merges = learn_merges(prompts.everything(), vocab_size - 2 * len(alphabet) - 2)
    tokens = alphabet + [letter + "</w>" for letter in alphabet] + [a + b for a, b in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n", encoding="utf-8")
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
               "pad_token": "<|endoftext|>"}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": model_max_length, "do_lower_case": True, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n", encoding="utf-8")


def load_tokenizer(folder: pathlib.Path) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(folder)


def tokenize(tokenizer: CLIPTokenizer, texts: list[str]) -> torch.Tensor:
    """[batch, model_max_length] token ids, padded and truncated as diffusers' pipelines do."""
    return tokenizer(texts, padding="max_length", truncation=True, max_length=tokenizer.model_max_length,
                     return_tensors="pt").input_ids


def build_encoder(settings: dict, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    settings = {**settings, "vocab_size": len(tokenizer)}
    encoder = CLIPTextModel(CLIPTextConfig(
        **settings, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id))
    for module in encoder.modules():  # CLIP's tiny initial embeddings learn slowly in a small model
        if isinstance(module, torch.nn.Embedding):
            torch.nn.init.normal_(module.weight, std=0.3 if module.num_embeddings > 64 else 0.05)
    return encoder


def pretrain(encoder: CLIPTextModel, tokenizer: CLIPTokenizer, steps: int, rng,
             goal: tuple[torch.nn.Module, torch.Tensor] | None = None) -> float:
    """Teaches the encoder to tell the edits apart, through its pooled output; returns the kept-out accuracy.

    With a `goal` (a frozen layer, and its output [edits, width] for each edit) every paraphrase must give that output too:
    a new encoder takes the place of the one that the layer was trained with.
    """
    head = torch.nn.Linear(encoder.config.hidden_size, len(stylizers.NAMES))
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    for _ in range(steps):
        labels = rng.integers(0, len(stylizers.NAMES), 64)
        ids = tokenize(tokenizer, [prompts.sample(rng, stylizers.NAMES[label]) for label in labels])
        embeddings, labels = encoder(ids).last_hidden_state, torch.tensor(labels)
        loss = F.cross_entropy(head(embeddings.mean(1)), labels, label_smoothing=0.05)
        if goal:
            loss = loss + (goal[0](embeddings) - goal[1][labels]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    texts = [(index, text) for index, name in enumerate(stylizers.NAMES) for text in prompts.KEPT_OUT[name]]
    with torch.no_grad():
        ids = tokenize(tokenizer, [text for _, text in texts])
        guesses = head(encoder(ids).last_hidden_state.mean(1)).argmax(1)
    return (guesses == torch.tensor([index for index, _ in texts])).float().mean().item()
