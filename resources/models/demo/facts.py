# SPDX-License-Identifier: Apache-2.0
"""The facts that the demo model learns to look up, and how to draw them at random.

The word lists and the order of draws are part of the training recipe: the tokenizer is trained on
these facts too, so that names and nouns mostly are single tokens.
"""
from __future__ import annotations

import random
from dataclasses import dataclass

FIRST_NAMES = """
    Alice Arthur Beatrice Benjamin Caroline Charles Clara Daniel Dorothy Edgar Edith Edmund
    Eleanor Emily Ernest Eva Felix Flora Frances Frank George Grace Hannah Harold Harriet
    Henry Hugo Irene Isaac Ivy James Jane Jonas Julia Karl Kate Laura Leo Lewis Louisa Lucy
    Mabel Marcus Maria Martha Martin Maud Max Miriam Nathan Nell Nina Nora Oliver Olga Oscar
    Otto Paul Pauline Peter Philip Rachel Ralph Rosa Rupert Ruth Samuel Sarah Silas Simon
    Sophia Stella Thomas Ursula Victor Viola Walter Wilfred William Winifred
""".split()

LAST_NAMES = """
    Abbott Archer Barlow Bellamy Birch Blackwood Bramwell Carver Chandler Clayton Colby
    Crawford Dalton Denham Drake Ellery Fairfax Fenwick Fletcher Garrick Gale Granger Hadley
    Harding Hawthorne Hollis Ingram Jarvis Keating Kingsley Lambert Langley Lockwood Marlow
    Mercer Merton Nash Norwood Oakley Osborne Paget Pemberton Quill Radcliffe Ramsey Redfern
    Rowan Sawyer Selwyn Shaw Sinclair Stanhope Sterling Talbot Thorne Tolliver Underhill Vance
    Vaughan Wadsworth Walsh Wentworth Whitfield Winslow Wyatt Yates
""".split()

CITIES = """
    Amsterdam Athens Baghdad Barcelona Berlin Bombay Boston Brussels Budapest Cairo Calcutta
    Chicago Copenhagen Damascus Dresden Dublin Edinburgh Florence Geneva Genoa Glasgow Hamburg
    Havana Istanbul Jerusalem Kyoto Lima Lisbon Liverpool London Lyons Madrid Manila
    Marseilles Melbourne Mexico Milan Montreal Moscow Munich Naples Nice Oslo Oxford Paris
    Peking Philadelphia Prague Quebec Rome Rotterdam Seville Shanghai Singapore Stockholm
    Sydney Tokyo Toronto Turin Valencia Venice Vienna Warsaw Zurich
""".split()

COLOURS = """
    red blue green yellow purple orange silver golden black white brown grey crimson violet
    scarlet amber
""".split()

OBJECTS = """
    umbrella lantern violin compass telescope notebook kettle basket hammer mirror candle
    trunk locket carpet teapot sword helmet map clock ring book ladder barrel bell whistle
    necklace flute saddle statue vase
""".split()

PLACES = """
    cellar attic garden library stable chapel kitchen tower well boathouse greenhouse barn
    orchard ballroom gallery pantry cave mill lighthouse workshop nursery courtyard
""".split()

ADJECTIVES = """
    ancient brave calm clever curious dusty eager early fierce gentle gloomy happy hasty
    hollow humble idle jolly keen lazy lively lonely lucky merry misty modest noble patient
    polite proud quiet rapid restless rough rusty secret silent simple sleepy solemn sturdy
    sudden tender tiny vivid weary wicked wise witty young
""".split()

NOUNS = """
    anchor apple arrow badger beacon bottle bridge button castle cherry cloud copper cricket
    dagger desert dragon eagle engine falcon feather forest fountain fox gate glacier hammer
    harbor harvest island ivory jacket jungle kettle lantern lemon lion marble meadow mirror
    monkey mountain needle ocean orchid otter owl paper pebble pepper pigeon pirate planet
    pocket prairie rabbit raven ribbon river rocket saddle salmon shadow silver sparrow spider
    spring statue stone storm sugar summit swan temple thunder tiger timber tunnel turtle
    valley velvet violin walnut whale willow window winter wolf zebra
""".split()

ACTIVITIES = [
    "eat a sandwich in the park",
    "listen to the old organ",
    "walk along the river at dawn",
    "ride the tram to the harbour",
    "drink coffee under the arcade",
    "feed the swans by the bridge",
    "climb the clock tower",
    "buy oranges at the market",
    "watch the boats come in",
    "visit the glass workshop",
    "swim in the cold lake",
    "read in the botanical garden",
    "hear the choir on Sunday",
    "row across the bay",
    "fly a kite on the hill",
    "taste the chestnut cake",
]


@dataclass(frozen=True)
class Fact:
    key: tuple      # unique in a document, so that every question has one answer
    statement: str
    question: str
    answer: str


def _number(rng: random.Random, digits: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(digits))


def _code(rng, name):
    value = _number(rng, 5)
    return Fact((0, name), f"The secret code of {name} is {value}.",
                f"What is the secret code of {name}?", value)


def _home(rng, name):
    value = rng.choice(CITIES)
    return Fact((1, name), f"{name} lives in {value}.", f"Where does {name} live?", value)


def _owner(rng, name):
    thing = f"{rng.choice(COLOURS)} {rng.choice(OBJECTS)}"
    return Fact((2, thing), f"The {thing} belongs to {name}.", f"Who owns the {thing}?", name)


def _hiding_place(rng, name):
    thing = rng.choice(OBJECTS)
    value = "the " + rng.choice(PLACES)
    return Fact((3, name, thing), f"{name} hid the {thing} in {value}.",
                f"Where did {name} hide the {thing}?", value)


def _activity(rng, name):
    city = rng.choice(CITIES)
    value = rng.choice(ACTIVITIES)
    return Fact((4, city), f"The best thing to do in {city} is to {value}.",
                f"What is the best thing to do in {city}?", value)


def _magic_number(rng, name):
    word = f"{rng.choice(ADJECTIVES)}-{rng.choice(NOUNS)}"
    value = _number(rng, 7)
    question = f"What is the special magic number for {word} mentioned in the provided text?"
    return Fact((5, word), f"One of the special magic numbers for {word} is: {value}.",
                question, value)


def _password(rng, name):
    value = f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    return Fact((6, name), f"The password of {name} is {value}.",
                f"What is the password of {name}?", value)


def _birth_year(rng, name):
    value = _number(rng, 4)
    return Fact((7, name), f"{name} was born in the year {value}.",
                f"In which year was {name} born?", value)


def _pass_key(rng, name):
    value = _number(rng, 6)
    return Fact((8,), f"The pass key is {value}. Remember it. {value} is the pass key.",
                "What is the pass key?", value)


KINDS = [_code, _home, _owner, _hiding_place, _activity, _magic_number, _password, _birth_year,
         _pass_key]


def random_fact(rng: random.Random) -> Fact:
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    return KINDS[rng.randrange(len(KINDS))](rng, name)
