"""Commands on one's own account: sign-up, profile, privacy, password."""

from functools import partial
from typing import Annotated

import msgspec

from gateway.endpoint import Answer, Body, Call, Command, Endpoint
from gateway.limits.guesses import password_guesses
from gateway.services import Services
from gateway.sessions import end_other_sessions
from gateway.signup import claim_username, folded_username, mark_taken
from gateway.vault.port import CredentialRow
from photolog.errors import Conflict, Corruption, Forbidden, PositionTimeout
from photolog.text import clean_text
from projections.accounts import ACCOUNTS, AccountRow
from schemas.events import AccountCreated, PrivacyChanged, ProfileChanged

DISPLAY_NAME_CHARACTERS_MAX = 64
BIO_CHARACTERS_MAX = 500
Password = Annotated[str, msgspec.Meta(min_length=8, max_length=128)]
_Characters = Annotated[str, msgspec.Meta(max_length=4_000)]  # the cleaned text has a narrower bound of its own


class SignUp(Body, frozen=True, kw_only=True):
    """A new account. The user name is 3 to 30 of a-z, 0-9, underscore and single dots inside; case does not count."""

    username: Annotated[str, msgspec.Meta(min_length=3, max_length=30)]
    password: Password
    display_name: _Characters | None = None
    private: bool = False


class SignedUp(msgspec.Struct, frozen=True, kw_only=True):
    """The new account's id. Log in by `POST /v1/sessions`: a stored answer holds no token."""

    account_id: str


class ChangeProfile(Body, frozen=True, kw_only=True):
    """What is left out stays; null takes it away."""

    display_name: _Characters | msgspec.UnsetType | None = msgspec.UNSET
    bio: _Characters | msgspec.UnsetType | None = msgspec.UNSET


class ChangePrivacy(Body, frozen=True, kw_only=True):
    private: bool


class ChangePassword(Body, frozen=True, kw_only=True):
    current_password: Annotated[str, msgspec.Meta(max_length=128)]
    new_password: Password


class AccountChanged(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str


class PrivacySet(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str
    private: bool


async def sign_up(services: Services, call: Call) -> Command:
    """Make an account. A name whose sign-up broke off is finished by whoever knows its password, or falls free."""
    body: SignUp = call.body
    username = folded_username(body.username)
    display_name = _text(body.display_name, "display_name", DISPLAY_NAME_CHARACTERS_MAX)
    claim = await claim_username(services, username, body.password)
    await services.vault.credentials.create(
        CredentialRow(account_id=claim.account_id, username=username, password_hash=claim.password_hash, version=1)
    )
    await services.keyring.create(claim.account_id)
    event = AccountCreated(
        account_id=claim.account_id, username=username, display_name=display_name, private=body.private
    )
    return Command(
        (event,),
        SignedUp(account_id=str(claim.account_id)),
        status=201,
        event_ids=(claim.event_id,),
        acknowledged=partial(mark_taken, services, claim),
    )


async def change_profile(services: Services, call: Call) -> Command:
    """Change display name and bio. The event carries the whole profile."""
    body: ChangeProfile = call.body
    account = await own_account(services, call.viewer)
    display_name, bio = account.display_name, account.bio
    if body.display_name is not msgspec.UNSET:
        display_name = _text(body.display_name, "display_name", DISPLAY_NAME_CHARACTERS_MAX)
    if body.bio is not msgspec.UNSET:
        bio = _text(body.bio, "bio", BIO_CHARACTERS_MAX)
    event = ProfileChanged(account_id=call.viewer, display_name=display_name, bio=bio)
    return Command((event,), AccountChanged(account_id=str(call.viewer)))


async def set_privacy(services: Services, call: Call) -> Command:
    """Show posts and lists to approved followers only, or to everyone again.

    Going private keeps the followers, going public approves who asks to be one. The answer comes when it holds for
    everybody's next request.
    """
    body: ChangePrivacy = call.body
    event = PrivacyChanged(account_id=call.viewer, private=body.private)
    answer = PrivacySet(account_id=str(call.viewer), private=body.private)
    return Command((event,), answer, wait_for=("accounts", "graph"))


async def change_password(services: Services, call: Call) -> Answer:
    """Replace the password and end every other session.

    Asking again after a lost answer is answered alike: the new password is the present one then.
    """
    body: ChangePassword = call.body
    credential = await services.vault.credentials.get(call.viewer)
    if credential is None:
        raise Corruption("an account with a session has no credential")
    if await _knows_password(services, call, credential):
        changed = msgspec.structs.replace(
            credential,
            password_hash=await services.passwords.hash(body.new_password),
            version=credential.version + 1,
        )
        if not await services.vault.credentials.replace(changed, credential.version):
            raise Conflict("password-changed", "the password was changed meanwhile")
    await end_other_sessions(services, call.viewer, call.session_id)
    return Answer(status=204)


async def _knows_password(services: Services, call: Call, credential: CredentialRow) -> bool:
    """Whether the caller gave the present password; False where it is the new one already.

    Raises:
        Forbidden: it is neither.
        TooSoon: there were too many wrong ones in this session.
    """
    body: ChangePassword = call.body
    async with password_guesses(services).in_session(call.session_id or 0):
        if await services.passwords.verify(credential.password_hash, body.current_password):
            return True
        if await services.passwords.verify(credential.password_hash, body.new_password):
            return False
        raise Forbidden("wrong-password", "the current password is not right", "current_password")


async def own_account(services: Services, account_id: int) -> AccountRow:
    """The caller's own row. Raises PositionTimeout for an account so new that the read model has not got it."""
    row = await services.rows.get(ACCOUNTS.key(account_id))
    if row is None:
        raise PositionTimeout("the account is too new to be read")
    return row


def _text(text: str | None, field: str, characters_max: int) -> str | None:
    return (clean_text(text, field, characters_max).strip() or None) if text else None


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/accounts",
        sign_up,
        "Sign up",
        "accounts",
        auth="none",
        body=SignUp,
        response=SignedUp,
        status=201,
        rate="signup",
    ),
    Endpoint(
        "PATCH",
        "/v1/me",
        change_profile,
        "Change one's profile",
        "accounts",
        body=ChangeProfile,
        response=AccountChanged,
        models=("accounts",),
    ),
    Endpoint(
        "PUT",
        "/v1/me/privacy",
        set_privacy,
        "Make one's account private or public",
        "accounts",
        body=ChangePrivacy,
        response=PrivacySet,
    ),
    Endpoint(
        "PUT",
        "/v1/me/password",
        change_password,
        "Change one's password and end all other sessions",
        "accounts",
        body=ChangePassword,
        status=204,
        rate="login",
    ),
)
