"""Words that the demo's people use, and what the pictures show that ship with scikit-image."""

GIVEN_NAMES = (
    "Ada", "Amara", "Anouk", "Bela", "Chidi", "Dario", "Edith", "Elif", "Farah", "Goro", "Hana", "Ines", "Ivo", "Jonas",
    "Kaia", "Lena", "Luca", "Malik", "Mira", "Nadia", "Noor", "Omar", "Petra", "Quinn", "Rosa", "Sana", "Tariq", "Uma",
    "Vera", "Wen", "Yara", "Zoe",
)  # fmt: skip
FAMILY_NAMES = (
    "Abbott", "Bauer", "Castro", "Dubois", "Eklund", "Fontana", "Gruber", "Haddad", "Ito", "Jansen", "Kovacs", "Larsen",
    "Moreau", "Novak", "Okafor", "Petrov", "Quint", "Rossi", "Sato", "Tanaka", "Ueda", "Varga", "Weber", "Yilmaz",
)  # fmt: skip
SUBJECTS = ("light", "cats", "coffee", "night skies", "walls", "machines", "stones", "people at work")
TAGS = (
    "photography", "morgenlicht", "Straßenfotografie", "猫", "coffee", "nightsky", "textures", "blackandwhite",
    "cafezão", "утро", "nofilter", "35mm", "weekend", "تصوير", "moon", "garage",
)  # fmt: skip
CAPTIONS = (
    "Found {subject} this morning.",
    "Could look at {subject} for hours 😌",
    "{subject}, and the light was just right.",
    "No words. Just {subject}.",
    "Day 12: {subject}",
    "Tried the old lens on {subject} — what do you think?",
)
COMMENTS = (
    "Beautiful!",
    "What lens was that?",
    "I was there last year 😍",
    "The light in this one…",
    "Wow.",
    "Print this, please.",
    "Saving this for my own walls.",
    "素敵ですね",
)
PLACES = (
    ("Lisbon", 38.7223, -9.1393),
    ("Kyoto", 35.0116, 135.7681),
    ("Wellington", -41.2866, 174.7756),
    ("Reykjavík", 64.1466, -21.9426),
    ("Oaxaca", 17.0732, -96.7266),
    ("Nairobi", -1.2921, 36.8219),
)
SUBJECTS_BY_SOURCE = {
    "astronaut.png": "an astronaut in her suit",
    "brick.png": "a brick wall",
    "camera.png": "a man with a camera on a tripod",
    "chelsea.png": "a ginger cat",
    "coffee.png": "a cup of coffee",
    "coins.png": "old coins",
    "grass.png": "grass from above",
    "gravel.png": "gravel",
    "hubble_deep_field.jpg": "thousands of galaxies",
    "moon.png": "the surface of the moon",
    "motorcycle_left.png": "a motorcycle in a garage",
    "motorcycle_right.png": "the same motorcycle, a step aside",
    "rocket.jpg": "a rocket on its pad",
}
