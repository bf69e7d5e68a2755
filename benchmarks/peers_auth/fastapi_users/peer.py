"""fastapi-users on PostgreSQL, as its documentation sets it up: SQLAlchemy, sessions in the database, a cookie.

`python peer.py` makes the tables and the accounts; `uvicorn peer:app` answers. Facts come by environment (PEER_*).
"""

import asyncio
import os
import uuid

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, CookieTransport
from fastapi_users.authentication.strategy.db import AccessTokenDatabase, DatabaseStrategy
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import (
    SQLAlchemyAccessTokenDatabase,
    SQLAlchemyBaseAccessTokenTableUUID,
)
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

hasher = Argon2Hasher(
    memory_cost=int(os.environ["PEER_MEMORY_KIB"]), time_cost=int(os.environ["PEER_PASSES"]), parallelism=1
)
password_helper = PasswordHelper(PasswordHash((hasher,)))
engine = create_async_engine(
    os.environ["PEER_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
)
new_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    pass


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    pass


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = os.environ["PEER_SECRET"]
    verification_token_secret = os.environ["PEER_SECRET"]


async def get_session():
    async with new_session() as session:
        yield session


async def get_user_db(session=Depends(get_session)):  # noqa: B008
    yield SQLAlchemyUserDatabase(session, User)


async def get_token_db(session=Depends(get_session)):  # noqa: B008
    yield SQLAlchemyAccessTokenDatabase(session, AccessToken)


async def get_user_manager(user_db=Depends(get_user_db)):  # noqa: B008
    yield UserManager(user_db, password_helper)


def get_strategy(tokens: AccessTokenDatabase[AccessToken] = Depends(get_token_db)):  # noqa: B008
    return DatabaseStrategy(tokens, lifetime_seconds=3600)


backend = AuthenticationBackend(
    name="database", transport=CookieTransport(cookie_max_age=3600), get_strategy=get_strategy
)
users = FastAPIUsers[User, uuid.UUID](get_user_manager, [backend])
app = FastAPI()
app.include_router(users.get_auth_router(backend, requires_verification=True), prefix="/auth")


@app.get("/healthz")
async def healthz():
    return "ok"


async def prepare():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with new_session() as session:
        manager = UserManager(SQLAlchemyUserDatabase(session, User), password_helper)
        for nth in range(int(os.environ["PEER_ACCOUNTS"])):
            email, password = f"person{nth}@example.com", os.environ["PEER_PASSWORD"]
            await manager.create(schemas.BaseUserCreate(email=email, password=password, is_verified=True))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(prepare())
