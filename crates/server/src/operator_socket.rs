//! The operator's socket: a Unix socket in the data folder, which nobody else can open.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::UnixListener;

use crate::file_permissions;
use crate::http_server::{
    ACCEPT_RETRY_DELAY, ConnectionLimiter, ConnectionLimits, ConnectionSlot, HEAD_TIMEOUT,
    WRITE_STALL_TIMEOUT, WriteStallTimeout, answer,
};
use driver::{Stop, stopped};
use web::Site;

/// The socket's name in the data folder.
pub(crate) const SOCKET: &str = "orderbell.sock";
/// The longest path that can be the address of a socket. Source: unix(7), `sun_path`, with the zero at its end.
const MAX_SOCKET_PATH: usize = 107;
/// How many connections there may be. A further one replaces one on which nothing is asked; where all are being
/// answered, it waits.
const MAX_CONNECTIONS: usize = 16;
/// How long one connection may last: no command takes as long.
const MAX_CONNECTION_TIME: Duration = Duration::from_mins(10);
/// How long requests in flight may take to end once the program shuts down.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// A path to the socket that is short enough for the system, for as long as this lives: a long one goes by way of
/// `/proc/self/fd`, where the folder is kept open.
pub(crate) struct SocketPath {
    path: PathBuf,
    _folder: Option<File>,
}

impl SocketPath {
    /// The path to the socket of this data folder.
    ///
    /// # Errors
    /// The folder cannot be opened, and its path is too long to do without.
    pub(crate) fn to(data: &Path) -> io::Result<Self> {
        let path = data.join(SOCKET);
        if path.as_os_str().len() <= MAX_SOCKET_PATH {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(data)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()));
        Ok(Self { path, _folder: Some(folder) })
    }

    /// The path where the socket of this data folder would be: nobody answers there.
    pub(crate) fn without_listener(data: &Path) -> Self {
        Self { path: data.join(SOCKET), _folder: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that a socket is there, and that its owner is trusted.
    ///
    /// # Errors
    /// `NotFound`; `PermissionDenied`, in words.
    pub(crate) fn check_owner(&self) -> io::Result<()> {
        let found = fs::symlink_metadata(&self.path)?;
        let wrong = |why: String| Err(io::Error::new(ErrorKind::PermissionDenied, why));
        if !found.file_type().is_socket() {
            return wrong("is no socket".to_owned());
        }
        if !file_permissions::is_trusted_owner(found.uid()) {
            return wrong(format!("belongs to user {}, and neither to you nor to root", found.uid()));
        }
        Ok(())
    }
}

/// The listener of the socket, which is removed when this is dropped.
pub(crate) struct OperatorListener {
    socket_path: SocketPath,
    listener: UnixListener,
}

impl OperatorListener {
    /// Listens in a data folder that this process holds. A socket that an earlier process left is taken away.
    ///
    /// # Errors
    /// Something else has its name, or somebody answers there.
    pub(crate) fn open(data: &Path) -> anyhow::Result<Self> {
        let (shown, socket_path) = (data.join(SOCKET), SocketPath::to(data)?);
        match socket_path.check_owner() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => bail!("{} {error}: move it away", shown.display()),
            Ok(()) => {
                ensure!(
                    UnixStream::connect(socket_path.path()).is_err(),
                    "somebody else answers at {}",
                    shown.display()
                );
                fs::remove_file(socket_path.path())?;
            }
        }
        let listener = UnixListener::bind(socket_path.path())?;
        fs::set_permissions(socket_path.path(), fs::Permissions::from_mode(0o600))?;
        Ok(Self { socket_path, listener })
    }

    /// Serves until the program shuts down, then lets requests in flight finish.
    #[expect(clippy::disallowed_methods, reason = "each connection is a task")]
    pub(crate) async fn serve(self, site: Site, mut stop: Stop) {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        let connections = GracefulShutdown::new();
        let limiter = ConnectionLimiter::new(ConnectionLimits {
            max: MAX_CONNECTIONS,
            max_per_peer: MAX_CONNECTIONS,
            proxies: Vec::new(),
        });
        loop {
            let accept = tokio::select! {
                accept = self.accept(&limiter) => accept,
                () = stopped(&mut stop) => break,
            };
            let Some((stream, mut slot)) = accept else { continue };
            let (stream, wait) =
                (WriteStallTimeout::new(stream, slot.wait(), WRITE_STALL_TIMEOUT), Arc::clone(slot.wait()));
            let site = site.clone();
            let answer = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(web::Client::Operator);
                answer(site.clone(), request, Arc::clone(&wait))
            });
            let connection = connections.watch(http.serve_connection(stream, answer));
            tokio::spawn(async move {
                tokio::select! {
                    _broken_off = tokio::time::timeout(MAX_CONNECTION_TIME, connection) => {}
                    () = slot.evicted() => {}
                }
            });
        }
        let _in_flight = tokio::time::timeout(SHUTDOWN_GRACE, connections.shutdown()).await;
    }

    /// The next connection, and its slot.
    #[expect(clippy::disallowed_methods, reason = "a worker may wait")]
    async fn accept(
        &self,
        limiter: &Arc<ConnectionLimiter>,
    ) -> Option<(tokio::net::UnixStream, ConnectionSlot)> {
        match self.listener.accept().await {
            // The folder and the socket's mode keep others out; so does this, should either be loosened.
            Ok((stream, _))
                if stream.peer_cred().is_ok_and(|peer| file_permissions::is_trusted_owner(peer.uid())) =>
            {
                Some((stream, limiter.acquire(None).await?))
            }
            Ok(_) => None,
            Err(_) => {
                limiter.evict_longest_waiting();
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                None
            }
        }
    }
}

impl Drop for OperatorListener {
    fn drop(&mut self) {
        let _gone_already = fs::remove_file(self.socket_path.path());
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use axum::Router;
    use rustix::process::Uid;
    use rustix::thread::set_thread_uid;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_socket_that_was_left_is_replaced_and_whatever_else_has_its_name_is_not() {
        let folder = tempfile::tempdir().unwrap();
        drop(std::os::unix::net::UnixListener::bind(folder.path().join(SOCKET)).unwrap());
        let listener = OperatorListener::open(folder.path()).unwrap();
        let mode = fs::metadata(folder.path().join(SOCKET)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = OperatorListener::open(folder.path()).err().unwrap().to_string();
        assert!(second.starts_with("somebody else answers at "), "{second}");
        drop(listener);
        assert!(!folder.path().join(SOCKET).exists());
        fs::write(folder.path().join(SOCKET), "kept").unwrap();
        assert!(OperatorListener::open(folder.path()).err().unwrap().to_string().contains("is no socket"));
        assert_eq!(fs::read(folder.path().join(SOCKET)).unwrap(), b"kept");
    }

    /// What is answered at the socket to a thread that asks as that user.
    fn answer_to(user: Option<u32>, socket_path: PathBuf) -> String {
        let ask = move || {
            if let Some(user) = user {
                set_thread_uid(Uid::from_raw(user)).unwrap();
            }
            let mut stream = UnixStream::connect(socket_path).unwrap();
            let _refused =
                stream.write_all(b"GET /orders HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
            let mut answer = String::new();
            let _broken_off = stream.read_to_string(&mut answer);
            answer
        };
        std::thread::spawn(ask).join().unwrap()
    }

    #[tokio::test]
    async fn nobody_else_is_answered_though_the_folder_and_the_socket_are_open_to_everyone() {
        let folder = tempfile::tempdir().unwrap();
        let listener = OperatorListener::open(folder.path()).unwrap();
        let socket = folder.path().join(SOCKET);
        for (path, mode) in [(folder.path(), 0o777), (socket.as_path(), 0o666)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let asked = async {
            let ask = |user| {
                let socket_path = socket.clone();
                async move { tokio::task::spawn_blocking(move || answer_to(user, socket_path)).await.unwrap() }
            };
            assert!(ask(None).await.starts_with("HTTP/1.1 404"));
            // Only root can be somebody else.
            if rustix::process::geteuid().is_root() {
                assert_eq!(ask(Some(54_321)).await, "");
                assert!(ask(None).await.starts_with("HTTP/1.1 404"), "the door is open still");
            }
            stop.send_replace(true);
        };
        tokio::join!(listener.serve(Router::new().into(), stopping), asked);
    }

    #[tokio::test]
    async fn a_path_that_is_too_long_for_a_socket_is_none_for_the_listener() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("a".repeat(100)).join("b".repeat(100));
        fs::create_dir_all(&long).unwrap();
        let _door = OperatorListener::open(&long).unwrap();
        let socket_path = SocketPath::to(&long).unwrap();
        socket_path.check_owner().unwrap();
        UnixStream::connect(socket_path.path()).unwrap();
    }

    /// What a connection of this kind sends, and never more.
    const SILENT: [&str; 4] = [
        "",
        "GET /counted HTT",
        "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
        "GET /counted HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ];

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the listener is another party and runs beside the test")]
    async fn connections_on_which_nothing_comes_give_way_to_who_asks() {
        use axum::routing::{get, post};
        let folder = tempfile::tempdir().unwrap();
        let listener = OperatorListener::open(folder.path()).unwrap();
        let router = Router::new()
            .route("/counted", get(async || "counted"))
            .route("/body", post(async |body: String| body));
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let serving = tokio::spawn(listener.serve(router.into(), stopping));
        let mut occupying = Vec::new();
        for number in 0..MAX_CONNECTIONS * 3 {
            let mut silent = connected(folder.path()).await;
            silent.write_all(SILENT[number % SILENT.len()].as_bytes()).await.unwrap();
            occupying.push(silent);
        }
        let mut asking = connected(folder.path()).await;
        asking
            .write_all(b"GET /counted HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        let reading = tokio::time::timeout(HEAD_TIMEOUT / 3, asking.read_to_string(&mut answer));
        reading.await.expect("it is answered before any of them runs out of time").unwrap();
        assert!(answer.ends_with("counted"), "{answer}");
        stop.send_replace(true);
        drop(occupying);
        serving.await.unwrap();
    }

    async fn connected(data: &Path) -> tokio::net::UnixStream {
        tokio::net::UnixStream::connect(data.join(SOCKET)).await.unwrap()
    }
}
