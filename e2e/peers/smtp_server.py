"""A mail server that demands STARTTLS and AUTH, and misbehaves when told to.

It is steered through standard input and output, one JSON object a line: each command is answered by one line. It ends
when its standard input does.
"""

import asyncio
import base64
import email
import email.policy
import json
import logging
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, TLSSetupException

# The ways to log in with a password.
BY_PASSWORD = ("LOGIN", "PLAIN")


class Peer:
    def __init__(self, settings):
        self.tls = settings["tls"]
        self.username = settings["username"]
        self.password = settings["password"]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(settings["chain"], settings["key"])
        self.port = 0
        self.server = None
        self.sessions = []
        self.mails = []
        self.faults = []
        self.rejected = {}
        self.logins = {"accepted": 0, "refused": 0}
        self.connections = 0

    # What the mail server asks of its handler.

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        fault = await self.fault("mail", server)
        if fault:
            return fault
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.rejected:
            return self.rejected[address]
        fault = await self.fault("rcpt", server)
        if fault:
            return fault
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        fault = await self.fault("data", server)
        if fault:
            return fault
        self.mails.append(read(envelope))
        fault = await self.fault("after_data", server)
        return fault or "250 2.0.0 queued"

    async def fault(self, stage, server):
        for fault in self.faults:
            if fault["stage"] == stage and fault["times"] > 0:
                fault["times"] -= 1
                if "reply" in fault["answer"]:
                    return fault["answer"]["reply"]
                if fault["answer"] == "hang":
                    await asyncio.sleep(3600)
                server.transport.abort()
                return "421 4.3.0 the line is gone"
        return None

    def authenticate(self, server, session, envelope, mechanism, data):
        accepted = (data.login.decode(), data.password.decode()) == (self.username, self.password)
        self.logins["accepted" if accepted else "refused"] += 1
        if accepted:
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message="535 5.7.8 Username and password not accepted")

    def excluded(self):
        return ()

    def session(self):
        self.connections += 1
        demands_login = self.username is not None
        smtp = SMTP(
            self,
            hostname="peer.test",
            tls_context=self.context if self.tls == "starttls" else None,
            require_starttls=self.tls == "starttls",
            auth_required=demands_login,
            auth_require_tls=self.tls == "starttls",
            auth_exclude_mechanism=self.excluded(),
            authenticator=self.authenticate,
            enable_SMTPUTF8=True,
        )
        self.sessions.append(smtp)
        return smtp

    # The commands.

    async def start(self, _=None):
        loop = asyncio.get_running_loop()
        context = self.context if self.tls == "implicit" else None
        self.server = await loop.create_server(self.session, "127.0.0.1", self.port, ssl=context)
        self.port = self.server.sockets[0].getsockname()[1]
        return {"port": self.port}

    async def stop(self, _):
        self.server.close()
        for session in self.sessions:
            if session.transport is not None:
                session.transport.abort()
        self.sessions.clear()
        await asyncio.sleep(0)
        return {}

    async def misbehave(self, command):
        self.faults.append(command["fault"])
        return {}

    async def reject(self, command):
        self.rejected[command["recipient"]] = command["reply"]
        return {}

    async def accept(self, command):
        self.rejected.pop(command["recipient"], None)
        return {}

    async def password(self, command):
        self.password = command["password"]
        return {}

    async def received(self, _):
        return {"mails": self.mails}

    async def take(self, _):
        mails, self.mails = self.mails, []
        return {"mails": mails}

    async def counts(self, _):
        return {"connections": self.connections, "logins": self.logins}


class TokenPeer(Peer):
    """Takes a token instead of a password, as Google has it: what is wrong with one is a challenge, and whatever answers
    that is refused."""

    def excluded(self):
        return BY_PASSWORD

    async def auth_XOAUTH2(self, server, args):
        said = base64.b64decode(args[1], validate=True) if len(args) > 1 else await server.challenge_auth("")
        accepted = said == f"user={self.username}\x01auth=Bearer {self.password}\x01\x01".encode()
        self.logins["accepted" if accepted else "refused"] += 1
        if accepted:
            return AuthResult(success=True)
        answer = await server.challenge_auth('{"status":"401","schemes":"bearer"}')
        message = "535 5.7.8 Username and token not accepted" if answer == b"" else "501 5.5.2 An empty line is due"
        return AuthResult(success=False, handled=False, message=message)


COMMANDS = {
    "start": Peer.start,
    "stop": Peer.stop,
    "misbehave": Peer.misbehave,
    "reject": Peer.reject,
    "accept": Peer.accept,
    "password": Peer.password,
    "received": Peer.received,
    "take": Peer.take,
    "counts": Peer.counts,
}


def read(envelope):
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    text = message.get_body(("plain",))
    html = message.get_body(("html",))
    return {
        "from": envelope.mail_from,
        "to": envelope.rcpt_tos,
        "headers": [[name, str(value)] for name, value in message.items()],
        "text": text.get_content() if text else "",
        "html": html.get_content() if html else "",
    }


async def main():
    loop = asyncio.get_running_loop()
    settings = json.loads(sys.argv[1])
    peer = (TokenPeer if settings["tokens"] else Peer)(settings)
    print(json.dumps(await peer.start()), flush=True)
    commands = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        command = json.loads(line)
        print(json.dumps(await COMMANDS[command["do"]](peer, command)), flush=True)


def is_worth_reading(record):
    """A client that is killed in the middle of a handshake is not."""
    return not (record.exc_info and isinstance(record.exc_info[1], TLSSetupException))


# Its library warns of its own doings at every login.
log = logging.getLogger("mail.log")
log.setLevel(logging.ERROR)
log.addFilter(is_worth_reading)
asyncio.run(main())
