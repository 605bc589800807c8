"""Instructions for every edit: templates filled with noun phrases, and verbs. Some are kept out, for evaluation."""

from __future__ import annotations

import pathlib

import numpy as np

#: Fits "make it {}", "turn this into {}", ...
NOUNS: dict[str, list[str]] = {
    "identity": ["the original", "the same picture", "the unchanged frame", "the original video", "itself",
                 "what it already is"],
    "pencil": ["a pencil sketch", "a pencil drawing", "a graphite sketch", "a hand drawn sketch", "a sketch",
               "a black and white pencil drawing", "a sketch on paper", "pencil art", "a drawing", "a charcoal drawing",
               "a line drawing in pencil", "a pencil portrait", "a sketchbook page", "graphite on white paper",
               "a portrait drawn in pencil", "shaded pencil strokes", "a drawing made with a pencil", "a rough graphite drawing", "pencil lines on paper", "a sketched picture"],
    "ink": ["a cartoon", "an ink cartoon", "a comic book", "a cartoon with black ink lines", "a comic drawing",
            "an animated cartoon", "anime", "an ink drawing", "a comic strip", "a cel shaded cartoon", "a graphic novel",
            "a comic book panel", "an ink illustration", "pen and ink with flat colors", "manga",
               "a cartoon show", "bold black outlines", "a character in a cartoon", "thick inked lines", "a comic hero", "a cartoon character", "a comic with inked outlines", "a saturday morning cartoon", "inked contours and flat colors"],
    "watercolor": ["a watercolor", "a watercolor painting", "a watercolour painting", "a soft watercolor wash",
                   "an aquarelle", "watercolor art", "a watercolour", "a watercolor on paper", "a wet watercolor sketch",
                   "soft watercolours", "a pastel watercolor",
               "soft watercolors", "loose watercolor paint", "thin washes of watercolor", "a portrait in watercolors", "a watercolour wash", "an aquarelle on paper", "delicate water colors", "a water color painting"],
    "oil": ["an oil painting", "a painting in oil", "an oil on canvas painting", "thick oil paint", "an oil portrait",
            "a classical oil painting", "brushed oil paint", "oil on canvas", "an old master painting",
            "a renaissance oil painting", "an impasto oil painting", "a baroque oil portrait", "oil colors",
               "an old master", "oil paints", "thick oils on canvas", "a portrait in oils", "a canvas painted in oil", "heavy oil strokes"],
    "van_gogh": ["a van gogh painting", "van gogh starry night", "a painting by vincent van gogh", "a van gogh",
                 "swirling brush strokes", "an impressionist van gogh", "starry night swirls", "the starry night",
                 "vincent van gogh", "van gogh brush strokes", "a post impressionist painting by van gogh", "van gogh art",
               "vincent's starry night", "swirling strokes like van gogh", "a canvas by vincent", "the night sky of van gogh"],
    "sepia": ["a sepia photo", "an old sepia photograph", "a vintage sepia picture", "an antique brown photo",
              "an old photo", "a western sepia film", "sepia", "a sepia toned photograph", "a faded vintage photograph",
              "an old brown photograph", "a daguerreotype", "sepia tones", "a vintage photo", "an old western photo",
               "a photograph from the old west", "brown tones", "a picture from 1900", "a browned photograph from long ago", "an antique photograph"],
    "noir": ["a film noir", "a black and white noir movie", "a black and white photo", "black and white",
             "a high contrast black and white film", "a monochrome noir photo", "a dramatic monochrome movie",
             "a noir film", "an old black and white movie", "grayscale", "a classic noir detective film", "monochrome",
               "monochrome film", "a detective film from the forties", "a black and white photograph", "stark monochrome", "an old movie without color"],
    "night": ["night", "a night scene", "midnight", "a dark night", "moonlight", "a scene at night under the moon",
              "nighttime", "a moonlit night", "night time", "a blue moonlit scene", "dark", "late at night",
               "the middle of the night", "a scene lit by the moon", "a night sky", "the dead of night", "a moonlit evening", "a dark evening"],
    "autumn": ["autumn", "an autumn scene", "fall season", "a fall day with orange leaves", "golden autumn",
               "an october forest", "autumn colors", "fall", "an autumn day", "a warm autumn evening", "fall foliage",
               "autumn leaves", "the fall season", "a golden october",
               "an october day", "a scene in the fall", "red and orange leaves", "trees in the fall", "november", "an autumn afternoon", "a forest of orange leaves"],
    "neon": ["neon lights", "glowing neon edges", "a neon sign", "a cyberpunk neon scene", "neon outlines", "neon",
             "glowing electric lines", "neon edges", "a tron like neon world", "neon glow", "cyberpunk", "neon contours",
             "a synthwave neon scene",
               "neon tubes", "glowing neon lines", "an electric neon world", "bright neon outlines", "a cyberpunk city", "glowing contours"],
    "pop_art": ["pop art", "a pop art poster", "an andy warhol print", "a warhol poster", "a posterized pop art print",
                "a silkscreen poster", "a pop art print", "a screen print", "an andy warhol painting", "warhol pop art",
                "a colorful pop art portrait", "flat vivid poster colors",
               "a vivid poster", "a silkscreen by warhol", "a bright pop art poster", "a screen printed poster", "a pop art portrait", "a poster in bright flat inks"],
    "thermal": ["a thermal camera", "a heat map", "infrared", "a thermal image", "an infrared heat camera",
                "predator thermal vision", "thermal imaging", "a thermal camera picture", "a thermogram", "thermal vision",
                "an infrared image", "a heat camera", "false color heat",
               "an infrared scope", "a thermal scope", "a heat camera picture", "a thermal view", "a night vision heat scope", "body heat"],
    "cinematic": ["a cinematic film", "a hollywood movie", "a blockbuster", "a teal and orange movie", "cinematic", "a movie scene",
                  "a film still", "a color graded film", "a cinematic scene", "a movie still", "a modern movie", "a cinema film",
                  "teal and orange", "a cinematic shot", "a hollywood film", "a feature film", "cinematic color grading",
                  "a scene from a blockbuster", "a big budget film", "a movie trailer"],
}

#: Whole instructions.
VERBS: dict[str, list[str]] = {
    "identity": ["do nothing", "leave it unchanged", "keep the original", "no change", "do not edit", "leave it as it is",
                 "keep it the same", "leave as is", "leave everything as it is", "don't change anything", "keep it",
                 "no edit", "change nothing", "show the original", "same as before", "reconstruct the picture"],
    "pencil": ["sketch it", "draw it with a pencil", "pencil sketch this", "sketch this with graphite", "draw it",
               "draw this by hand", "sketch me", "draw me in pencil", "turn photo to pencil"],
    "ink": ["cartoonize", "cartoonify it", "draw ink outlines", "toon it", "make it cartoonish", "cartoonize me",
            "draw it as a comic", "ink it", "add black outlines like a comic", "make it a toon"],
    "watercolor": ["paint it with watercolors", "watercolor it", "wash it in watercolour", "paint it in watercolor",
                   "paint me in watercolors", "use watercolor paint"],
    "oil": ["paint it in oil", "oil paint it", "use thick oil brush", "paint it with oil colors", "paint me in oils",
            "paint it like rembrandt"],
    "van_gogh": ["paint it like van gogh", "vangogh", "add swirly strokes", "starry swirls like vincent", "in van gogh style",
                 "as if van gogh painted it", "make van gogh paint it", "swirl it like the starry night"],
    "sepia": ["add sepia", "sepia tone it", "tint it brown", "make it vintage", "make it look old", "age the photo",
              "apply a sepia filter", "make it antique"],
    "noir": ["remove the color", "make it black and white", "make it monochrome", "noir it", "desaturate",
             "convert to grayscale", "take the color away", "remove all colors", "make it noir"],
    "night": ["make it night", "turn day into night", "make it dark", "turn off the sun", "make it nighttime",
              "change day to night", "make it midnight", "set it at night", "switch off the daylight"],
    "autumn": ["make it autumn", "make it fall", "turn the leaves orange", "make the season autumn", "change season to fall",
               "make the trees orange", "let autumn come", "turn summer into autumn"],
    "neon": ["add neon", "make the edges glow", "make it glow", "light it with neon", "outline it in neon", "add neon lights",
             "draw glowing outlines", "add glowing edges"],
    "pop_art": ["posterize", "posterize it", "warhol it", "make it pop art", "make flat vivid poster colors",
                "print it like warhol", "silkscreen it", "pop art it"],
    "thermal": ["show the heat", "show temperature", "thermal vision", "make it infrared", "heat vision",
                "use a thermal camera", "see the heat", "switch to infrared", "show body heat"],
    "cinematic": ["make it cinematic", "color grade it", "grade it", "grade the colors", "color grade the video", "balance the colors",
                  "fix the white balance", "correct the exposure", "fix the lighting", "make it look like hollywood",
                  "grade it teal and orange", "give it a film look"],
}

TEMPLATES = [
    "make it {}", "turn it into {}", "make it look like {}", "turn this into {}", "convert to {}", "{}", "{} style",
    "transform the image into {}", "in the style of {}", "make me look like {}", "change it to {}", "render as {}",
    "show it as {}", "what if it were {}", "as {}", "make this video look like {}", "turn the scene into {}",
    "apply {} effect", "give it the look of {}", "paint it as {}", "i want {}", "please make it {}", "make this {}",
    "convert the video into {}", "turn me into {}", "make the picture {}", "edit it to be {}", "{} please",
    "transform it to {}", "make it like {}", "make the video {}", "{} filter", "a video in the style of {}",
    "turn the picture into {}", "it should look like {}", "redraw it as {}", "turn my face into {}", "paint everyone as {}",
    "give everyone {}", "surround me with {}", "look through {}", "could you make it {}", "what would this be as {}",
    "repaint everything as {}", "put me in {}", "give me {}", "let it be {}", "now {}", "use {}", "add {}",
    "like {}", "just like {}", "like in {}", "as in {}", "as if it were {}", "something like {}", "it could be {}",
    "show us like {}", "looking like {}", "with the look of {}",
]

#: What may stand before a noun phrase in the place of "a" and "an".
ARTICLES = ["the", "my", "this", "some", "one of those", "my father's", "our"]

#: Courtesies and asides, before and after an instruction; they must change nothing.
BEFORE = ["please", "could you", "can you", "i would like you to", "now", "hey", "try to", "let's", "just", "kindly",
          "i want you to", "for this video"]
AFTER = ["please", "for me", "in this video", "right now", "for everyone", "of me", "with my face in it", "thanks",
         "for the whole picture", "from now on", "as well as you can", "in every frame"]

#: Never trained on.
KEPT_OUT: dict[str, list[str]] = {
    "identity": ["please leave everything unchanged", "keep this frame exactly as it is",
                 "just pass the video through", "i like it the way it is now", "don't touch the image"],
    "pencil": ["turn me into a graphite pencil portrait", "redraw the picture as pencil strokes on white paper",
               "as if an artist had sketched us", "a quick pencil study of this room", "drawn with a soft pencil"],
    "ink": ["i would like to be a character in a comic", "give everyone bold inked outlines like a cartoon show",
            "like the cartoons on tv", "black outlines and flat comic colors", "turn my webcam into a comic strip"],
    "watercolor": ["could you paint my face in soft watercolours", "aquarelle painting please",
                   "as though painted with watercolors on wet paper", "a gentle watercolor of the street",
                   "watercolor brush look"],
    "oil": ["make me an old master portrait in oil paints", "classical canvas oil painting of me",
            "i want to hang in a museum as an oil painting", "oil paint with thick brush strokes", "painted in oils by rembrandt"],
    "van_gogh": ["repaint everything the way vincent did in starry night", "swirling van gogh brushwork",
                 "how van gogh would have seen it", "the style of vincent van gogh's paintings", "starry night, but my room"],
    "sepia": ["an antique vintage photograph with brown tones", "make me look like an old western photo from 1890",
              "like my grandmother's old photographs", "brown and faded like an old picture", "sepia colors"],
    "noir": ["dramatic high contrast monochrome", "classic black and white detective movie",
             "no colors, just black and white", "like a film noir from 1945", "strip the color out of this"],
    "night": ["make the scene look like it is midnight", "what would this be at night",
              "let it get dark outside", "as if the moon were the only light", "turn the daylight into night"],
    "autumn": ["it should be october with orange leaves", "make the trees look like fall",
               "change the season to autumn", "warm autumn leaves everywhere", "what does this look like in the fall"],
    "neon": ["surround me with glowing neon outlines", "electric neon cyberpunk look",
             "neon lines along every edge", "like a cyberpunk city at night with neon signs", "glow in the dark neon contours"],
    "pop_art": ["make it an andy warhol silkscreen", "vivid pop art posters",
                "print me the way warhol printed marilyn", "flat bright poster colors", "as a pop art poster on the wall"],
    "thermal": ["look through an infrared thermal scope", "heat camera view",
                "what a thermal camera would show", "show me how warm everything is", "predator vision"],
    "cinematic": ["grade my webcam like a hollywood blockbuster", "teal and orange color grade please",
                  "i want to look as if i were in a movie", "fix the light and the white balance", "a still from a modern film"],
}

#: Kept out too; written by somebody who had seen none of the sentences above and below, nor paraphrases.txt.
STRANGERS: dict[str, list[str]] = {
    "identity": [
        "just show my normal camera picture",
        "turn all the effects off",
        "leave me exactly as i am",
        "go back to the original unedited video",
    ],
    "pencil": [
        "draw me with a graphite pencil",
        "can you make this look hand sketched in pencil",
        "i want to be a pencil drawing",
        "shade my face like a soft lead pencil portrait",
    ],
    "ink": [
        "comic book style",
        "turn me into a cartoon with black outlines",
        "make it look like a page from a comic",
        "bold ink lines and flat colours please",
        "hey could i be a cartoon character today",
    ],
    "watercolor": [
        "watercolour painting",
        "paint this scene in soft watercolors",
        "i'd love a watercolor painting look",
        "make everything look like wet watercolour washes on paper",
        "could you do me as an aquarelle",
    ],
    "oil": [
        "make me look like an old master's oil portrait",
        "render this in thick oil paints like rembrandt",
        "can my webcam look like a renaissance oil painting",
    ],
    "van_gogh": [
        "van gogh style",
        "make it swirl like starry night",
        "paint me the way vincent van gogh would",
        "give my room those starry night swirls",
        "i wanna look like a van gogh self portrait",
    ],
    "sepia": [
        "age it like a faded victorian photo",
        "could you give me that vintage sepia look",
        "i want to look like great grandpa's brownish photo",
    ],
    "noir": [
        "film noir please",
        "take out all the color, make it grayscale",
        "i feel like a detective in a noir movie",
        "show me like an old black and white film",
    ],
    "night": [
        "turn the daylight into moonlight",
        "pretend it's midnight outside",
        "change day to night please",
        "can you make it look dark and moonlit",
    ],
    "autumn": [
        "turn all the leaves orange",
        "make it look like fall outside",
        "i miss october, give me fall foliage",
        "switch the season to autumn please",
    ],
    "neon": [
        "cyberpunk look with glowing edges",
        "outline me in bright neon lights",
        "make me glow like a neon sign",
        "can we go full cyberpunk neon",
    ],
    "pop_art": [
        "make me an andy warhol print",
        "do the warhol marilyn thing to my face",
        "posterize me like a sixties pop art poster",
        "i'd like a bright pop art poster look",
    ],
    "thermal": [
        "show my body heat in infrared",
        "make it look like predator heat vision",
        "switch to a thermal imaging view please",
        "what would i look like on an infrared camera",
    ],
    "cinematic": [
        "give this a cinematic colour grade",
        "make my video look like a big budget movie",
        "that teal and orange hollywood look please",
        "can you fix the lighting and colours like in films",
    ],
}
KEPT_OUT = {edit: KEPT_OUT[edit] + STRANGERS[edit] for edit in KEPT_OUT}

#: The prompt that names each edit in evaluation, the demo and the model card.
CANONICAL: dict[str, str] = {
    "identity": "leave it as it is", "pencil": "make it a pencil drawing", "ink": "make it an ink cartoon",
    "watercolor": "make it a watercolor painting", "oil": "make it an oil painting",
    "van_gogh": "make it a Van Gogh painting", "sepia": "make it a sepia photograph", "noir": "make it film noir",
    "night": "make it night", "autumn": "make it autumn", "neon": "add neon edges", "pop_art": "make it pop art",
    "thermal": "make it a thermal image", "cinematic": "make it cinematic",
}


def _read_paraphrases() -> dict[str, list[str]]:
    """The sentences of paraphrases.txt by edit, without those that are kept out."""
    sentences: dict[str, list[str]] = {}
    kept_out = {sentence for sentences in KEPT_OUT.values() for sentence in sentences}
    for line in pathlib.Path(__file__).with_name("paraphrases.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = sentences.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#") and line not in kept_out:
            current.append(line)
    return sentences


#: More whole instructions, in other people's words.
PARAPHRASES = _read_paraphrases()


def reworded(rng: np.random.Generator, noun: str) -> str:
    """A noun phrase, at times with another article or in the plural: neither must change what is asked for."""
    article, _, rest = noun.partition(" ")
    if article not in ("a", "an") or rng.random() < 0.6:
        return noun
    if len(rest.split()) <= 2 and rest[-1] not in "sy" and rng.random() < 0.5:
        rest += "s"
    return f"{rng.choice(ARTICLES)} {rest}"


def sample(rng: np.random.Generator, edit: str) -> str:
    """A training instruction for `edit`."""
    if rng.random() < 0.08:
        text = CANONICAL[edit].lower()
    elif rng.random() < (0.8 if edit == "identity" else 0.6):
        text = str(rng.choice(VERBS[edit] if rng.random() < 0.3 else PARAPHRASES[edit]))
    else:
        text = str(rng.choice(TEMPLATES)).format(reworded(rng, str(rng.choice(NOUNS[edit]))))
    words = text.split()
    if len(words) > 3 and rng.random() < 0.1:  # a missing word must not lose the edit
        del words[rng.integers(0, 2)]
    if rng.random() < 0.12:
        words.insert(0, str(rng.choice(BEFORE)))
    if rng.random() < 0.12:
        words.append(str(rng.choice(AFTER)))
    return " ".join(words)


def everything() -> list[str]:
    """Every training sentence once, for the tokenizer's vocabulary."""
    sentences = list(CANONICAL.values())
    for edit, nouns in NOUNS.items():
        sentences += [template.format(noun) for noun in nouns for template in TEMPLATES] + VERBS[edit] * 4
        sentences += PARAPHRASES[edit] * 4
    sentences += (BEFORE + AFTER) * 4
    return [sentence.lower() for sentence in sentences]
