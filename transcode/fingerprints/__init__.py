"""How contents are recognised: exactly by a digest, nearly by a perceptual hash, and certainly by a look at pixels."""
