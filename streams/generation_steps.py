"""The steps of generations that are not live: one that is being built, and those that live jobs keep up to date."""

from collections.abc import Sequence

from projections.cache_owners import owner_of
from projections.fold import Projection
from projections.generations import generation_name
from projections.stores.port import CacheWrite
from projections.tables import Row, RowKey
from projections.writes import Kept
from streams.decoding import Decoder
from streams.epochs import Epochs
from streams.folding import CacheForm, Folding
from streams.jobs import JobResources, cache_reactions
from streams.step import Step
from streams.witness import WitnessedPositions


def building_step(resources: JobResources, projection: Projection, number: int) -> Step:
    """Folds a projection into the rows of a generation that nobody reads: no caches, and nothing follows. No letter is
    written either: the live generation's job has written each already.

    Args:
        resources: their rows are those of the generation.
        projection: what to fold.
        number: the generation.
    """
    name = generation_name(projection.name, number)
    decoder = Decoder(resources.serde, resources.keys)
    epochs = Epochs(name, resources.rows, resources.growths)
    work = Folding(projection, resources.rows)
    return Step(name, resources.rows, decoder, work, None, epochs=epochs, letters_of=projection.name)


def following_step(resources: JobResources, projection: Projection, number: int) -> Step:
    """Keeps a generation as the live one is kept, its caches included, so that it may go live at any moment. Nothing is
    appended: what follows from an event follows once.

    Args:
        resources: their rows and caches are those of the generation.
        projection: what to fold.
        number: the generation.
    """
    name = generation_name(projection.name, number)
    reaction = cache_reactions(resources).get(projection.name)
    form = _own_form(projection.name, resources.cache_form)
    work = Folding(projection, resources.rows, resources.cache, form, reaction)
    positions = WitnessedPositions(resources.rows, resources.timelines)
    decoder = Decoder(resources.serde, resources.keys)
    epochs = Epochs(name, resources.rows, resources.growths)
    return Step(name, positions, decoder, work, None, epochs=epochs, letters_of=projection.name)


def _own_form(projection: str, form: CacheForm) -> CacheForm:
    """Only what is cached of the projection itself; what it says of others is about their live generations."""

    def own(key: RowKey[Row], kept: Kept, born: bool) -> Sequence[CacheWrite]:
        return [write for write in form(key, kept, born) if owner_of(write.key, write.field) == projection]

    return own
