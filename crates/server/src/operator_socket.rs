//! The operator's own door: a Unix socket in the data folder, which nobody else can open.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};
use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::UnixListener;

use crate::http_server::{EXHAUSTED, HEAD, Limits, Line, Place, Room, STANDSTILL, answer};
use crate::trust;
use driver::{Stop, stopped};

/// The socket's name in the data folder.
pub(crate) const SOCKET: &str = "orderbell.sock";
/// A longer path is no address of a socket. Source: unix(7), `sun_path`, with the zero at its end.
const LONGEST_PATH: usize = 107;
/// How many commands may ask at once. A further one gets the place of whoever asks nothing; where all are being
/// answered, it waits.
const MOST: usize = 16;
/// How long one connection may last: no command takes as long.
const LONGEST: Duration = Duration::from_mins(10);
/// How long requests in flight may take to end once the program is to end.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// A way to the socket that is short enough for the system, for as long as this lives.
pub(crate) struct Way {
    path: PathBuf,
    _folder: Option<File>,
}

impl Way {
    /// The way to the socket of this data folder.
    ///
    /// # Errors
    /// The folder cannot be opened, and its path is too long to do without.
    pub(crate) fn to(data: &Path) -> io::Result<Self> {
        let path = data.join(SOCKET);
        if path.as_os_str().len() <= LONGEST_PATH {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(data)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()));
        Ok(Self { path, _folder: Some(folder) })
    }

    /// The way to where the socket of this data folder would be: nobody answers there.
    pub(crate) fn nowhere(data: &Path) -> Self {
        Self { path: data.join(SOCKET), _folder: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a socket is there whose maker is believed.
    ///
    /// # Errors
    /// `NotFound`; `PermissionDenied`, in words.
    pub(crate) fn look(&self) -> io::Result<()> {
        let found = fs::symlink_metadata(&self.path)?;
        let wrong = |why: String| Err(io::Error::new(ErrorKind::PermissionDenied, why));
        if !found.file_type().is_socket() {
            return wrong("is no socket".to_owned());
        }
        if !trust::believes(found.uid()) {
            return wrong(format!("belongs to user {}, and neither to you nor to root", found.uid()));
        }
        Ok(())
    }
}

/// The door, open until this is dropped.
pub(crate) struct Door {
    way: Way,
    listener: UnixListener,
}

impl Door {
    /// Opens the door of a data folder that this process holds. A socket that an earlier process left is taken away.
    ///
    /// # Errors
    /// Something else has its name, or somebody answers there.
    pub(crate) fn open(data: &Path) -> anyhow::Result<Self> {
        let (shown, way) = (data.join(SOCKET), Way::to(data)?);
        match way.look() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => bail!("{} {error}: move it away", shown.display()),
            Ok(()) => {
                ensure!(
                    UnixStream::connect(way.path()).is_err(),
                    "somebody else answers at {}",
                    shown.display()
                );
                fs::remove_file(way.path())?;
            }
        }
        let listener = UnixListener::bind(way.path())?;
        fs::set_permissions(way.path(), fs::Permissions::from_mode(0o600))?;
        Ok(Self { way, listener })
    }

    /// Serves until the program is to end, then lets requests in flight come to theirs.
    #[expect(clippy::disallowed_methods, reason = "each connection is a task")]
    pub(crate) async fn serve(self, router: Router, mut stop: Stop) {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD);
        let connections = GracefulShutdown::new();
        let room = Room::new(Limits { most: MOST, most_of_a_peer: MOST, proxies: Vec::new() });
        loop {
            let arrival = tokio::select! {
                arrival = self.arrival(&room) => arrival,
                () = stopped(&mut stop) => break,
            };
            let Some((stream, mut place)) = arrival else { continue };
            let (line, turn) = (Line::new(stream, place.turn(), STANDSTILL), Arc::clone(place.turn()));
            let router = router.clone();
            let answer = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(web::Client::Operator);
                answer(router.clone(), request, Arc::clone(&turn))
            });
            let connection = connections.watch(http.serve_connection(line, answer));
            tokio::spawn(async move {
                tokio::select! {
                    _broken_off = tokio::time::timeout(LONGEST, connection) => {}
                    () = place.given_up() => {}
                }
            });
        }
        let _in_flight = tokio::time::timeout(SHUTDOWN_GRACE, connections.shutdown()).await;
    }

    /// The next connection, and its place.
    #[expect(clippy::disallowed_methods, reason = "a shell may wait")]
    async fn arrival(&self, room: &Arc<Room>) -> Option<(tokio::net::UnixStream, Place)> {
        match self.listener.accept().await {
            // The folder and the socket's mode keep others out; so does this, should either be loosened.
            Ok((stream, _)) if stream.peer_cred().is_ok_and(|peer| trust::believes(peer.uid())) => {
                Some((stream, room.admit(None).await?))
            }
            Ok(_) => None,
            Err(_) => {
                room.make_room();
                tokio::time::sleep(EXHAUSTED).await;
                None
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _gone_already = fs::remove_file(self.way.path());
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use rustix::process::Uid;
    use rustix::thread::set_thread_uid;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_socket_that_was_left_is_replaced_and_whatever_else_has_its_name_is_not() {
        let folder = tempfile::tempdir().unwrap();
        drop(std::os::unix::net::UnixListener::bind(folder.path().join(SOCKET)).unwrap());
        let door = Door::open(folder.path()).unwrap();
        let mode = fs::metadata(folder.path().join(SOCKET)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = Door::open(folder.path()).err().unwrap().to_string();
        assert!(second.starts_with("somebody else answers at "), "{second}");
        drop(door);
        assert!(!folder.path().join(SOCKET).exists());
        fs::write(folder.path().join(SOCKET), "kept").unwrap();
        assert!(Door::open(folder.path()).err().unwrap().to_string().contains("is no socket"));
        assert_eq!(fs::read(folder.path().join(SOCKET)).unwrap(), b"kept");
    }

    /// What is answered at the socket to a thread that asks as that user.
    fn answer_to(user: Option<u32>, way: PathBuf) -> String {
        let ask = move || {
            if let Some(user) = user {
                set_thread_uid(Uid::from_raw(user)).unwrap();
            }
            let mut stream = UnixStream::connect(way).unwrap();
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
        let door = Door::open(folder.path()).unwrap();
        let socket = folder.path().join(SOCKET);
        for (path, mode) in [(folder.path(), 0o777), (socket.as_path(), 0o666)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let asked = async {
            let ask = |user| {
                let way = socket.clone();
                async move { tokio::task::spawn_blocking(move || answer_to(user, way)).await.unwrap() }
            };
            assert!(ask(None).await.starts_with("HTTP/1.1 404"));
            // Only root can be somebody else.
            if rustix::process::geteuid().is_root() {
                assert_eq!(ask(Some(54_321)).await, "");
                assert!(ask(None).await.starts_with("HTTP/1.1 404"), "the door is open still");
            }
            stop.send_replace(true);
        };
        tokio::join!(door.serve(Router::new(), stopping), asked);
    }

    #[tokio::test]
    async fn a_path_that_is_too_long_for_a_socket_is_none_for_the_door() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("a".repeat(100)).join("b".repeat(100));
        fs::create_dir_all(&long).unwrap();
        let _door = Door::open(&long).unwrap();
        let way = Way::to(&long).unwrap();
        way.look().unwrap();
        UnixStream::connect(way.path()).unwrap();
    }

    /// What a connection of this kind sends, and never more.
    const SILENT: [&str; 4] = [
        "",
        "GET /counted HTT",
        "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
        "GET /counted HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ];

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the door is another party and runs beside the test")]
    async fn connections_on_which_nothing_comes_give_way_to_who_asks() {
        use axum::routing::{get, post};
        let folder = tempfile::tempdir().unwrap();
        let door = Door::open(folder.path()).unwrap();
        let router = Router::new()
            .route("/counted", get(async || "counted"))
            .route("/body", post(async |body: String| body));
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let serving = tokio::spawn(door.serve(router, stopping));
        let mut occupying = Vec::new();
        for number in 0..MOST * 3 {
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
        let reading = tokio::time::timeout(HEAD / 3, asking.read_to_string(&mut answer));
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
