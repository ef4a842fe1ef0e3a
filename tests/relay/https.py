# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTPS server of a test's own: many hosts at one address, each with its certificate and answer."""

import http.server
import ssl
import threading


class Answer:
    """What a host says; @status None: it closes the connection instead; @when: not before this event."""

    def __init__(self, body='', status=200, kind='text/plain; charset=utf-8', headers=(), when=None):
        self.body, self.status, self.kind, self.headers = body, status, kind, tuple(headers)
        self.when = when


def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key_path)
    return context


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, client_address):
        """The handshake is the connection's own affair: one that fails keeps nobody waiting."""
        try:
            with self.context.wrap_socket(request, server_side=True) as stream:
                super().finish_request(stream, client_address)
        except (OSError, ValueError):
            pass


class Https:
    """Used as a context manager.  @paths: (host, path) of every request; @asked: of every handshake;
    @posts: (host, path, type, body) of what was posted and answered."""

    def __init__(self, host='127.0.0.1'):
        self.host, self.port = host, 0
        self.contexts, self.answers = {}, {}
        self.paths, self.asked, self.posts = [], [], []

    def add(self, host, certificate, answer):
        self.contexts[host] = server_context(certificate)
        self.answers[host] = answer

    def __enter__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers as its host was told to."""

            def do_GET(self):  # pylint: disable=invalid-name
                host = self.headers['Host'].split(':')[0]
                outer.paths.append((host, self.path))
                self.answer(host)

            def do_POST(self):  # pylint: disable=invalid-name
                host = self.headers['Host'].split(':')[0]
                body = self.rfile.read(int(self.headers['Content-Length']))
                self.answer(host)
                outer.posts.append((host, self.path, self.headers['Content-Type'], body))

            def answer(self, host):
                answer = outer.answers[host]
                if answer.when is not None:
                    answer.when.wait()
                if answer.status is None:
                    self.close_connection = True
                    return
                body = answer.body.encode()
                self.send_response(answer.status)
                self.send_header('Content-Type', answer.kind)
                self.send_header('Content-Length', str(len(body)))
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """A test reads @paths."""

        self._server = _Server((self.host, 0), Handler)
        self._server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.context.sni_callback = self._choose
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': 0.05},
                                        daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _choose(self, stream, name, _):
        self.asked.append(name)
        if name not in self.contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        stream.context = self.contexts[name]
        return None
