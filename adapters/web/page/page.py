"""What the page holds while the adapter lives."""

import getpass
import os

from adapters.web.api_keys import ApiKeys
from adapters.web.page.file_shelf import FileShelf
from adapters.web.page.links import TERMINAL_LIFETIME, Links
from adapters.web.page.login_gate import LoginGate
from adapters.web.page.rooms import Rooms
from adapters.web.page.sampler import Sampler
from adapters.web.page.session import Holder
from adapters.web.page.sessions import Sessions
from adapters.web.principal import LOCAL
from bot.adapter import ChatCore
from bot.people import PersonRole


class Page:
    """Sessions, open conversations and figures. Kept as `app.state.page`."""

    def __init__(self, *, name: str, core: ChatCore, keys: ApiKeys) -> None:
        """`name` is the adapter's in the configuration."""
        self.name = name
        self.core = core
        self.keys = keys
        self.sessions = Sessions(adapter=name, store=core.store)
        self.links = Links(adapter=name, store=core.store)
        self.gate = LoginGate()
        self.shelf = FileShelf()
        self.rooms = Rooms(core, self.shelf)
        self.sampler = Sampler(core)

    async def start(self) -> str:
        """Begin to sample; the secret of a link that logs in once, for whoever reads this machine's terminal."""
        self.sampler.start()
        return await self.links.make(Holder(user=LOCAL, name=_person(), admin=True), TERMINAL_LIFETIME)

    async def role(self, user: str) -> PersonRole | None:
        """What somebody is for the whole daemon. Raises `StorageError`."""
        return await self.core.door.role(f"{self.name}:{user}")

    async def claim(self, code: str) -> Holder | None:
        """Make whoever has typed the code of the first admin the owner of the page. Raises `StorageError`."""
        holder = Holder(user=LOCAL, name=_person(), admin=True)
        claimed = await self.core.door.claim(f"{self.name}:{LOCAL}", name=holder.name, code=code)
        return holder if claimed else None

    async def drain(self) -> None:
        """Return when every answer was shown; every stream has an end then."""
        await self.rooms.drain()
        await self.sampler.aclose()

    async def aclose(self) -> None:
        """Stop everything."""
        await self.rooms.aclose()
        await self.sampler.aclose()


def _person() -> str:
    """Whoever has this machine's account."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without an entry in the password database, as in containers
        return str(os.getuid())
