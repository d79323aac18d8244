"""The same, and each message is stored in PostgreSQL before it is published."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from broadcaster import Broadcast
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

broadcast = Broadcast(os.environ["REDIS_URL"])
pool = AsyncConnectionPool(os.environ["DATABASE_URL"], open=False)


async def chat(websocket: WebSocket) -> None:
    room = websocket.path_params["room"]
    await websocket.accept()
    async with anyio.create_task_group() as tasks:

        async def listen() -> None:
            async for message in websocket.iter_text():
                async with pool.connection() as connection:
                    await connection.execute(
                        "INSERT INTO message (room, text) VALUES (%s, %s)",
                        (room, message),
                    )
                await broadcast.publish(channel=room, message=message)
            tasks.cancel_scope.cancel()

        tasks.start_soon(listen)
        async with broadcast.subscribe(channel=room) as subscriber:
            async for event in subscriber:
                await websocket.send_text(event.message)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    await pool.open()
    await broadcast.connect()
    yield
    await broadcast.disconnect()
    await pool.close()


app = Starlette(routes=[WebSocketRoute("/{room}", chat)], lifespan=lifespan)
