//! The proxies that hospitals have, in front of three replicas.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use tempfile::TempDir;

/// Where a replica is reached, and where its readiness is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// A proxy as a process of its own, ended with the value.
pub(crate) struct Proxy {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Proxy {
    /// `HAProxy` asks every replica's readiness and takes it out before its port closes.
    pub(crate) fn haproxy(places: &[Place]) -> Self {
        let [address] = free_ports();
        let mut text = format!(
            "defaults\n  mode http\n  timeout connect 1s\n  timeout client 1m\n  timeout server 1m\n\
             frontend callers\n  bind {address} proto h2\n  default_backend replicas\n\
             backend replicas\n  balance leastconn\n  option httpchk GET /readyz\n  retries 2\n  option redispatch 1\n\
             \x20 retry-on conn-failure\n"
        );
        for (number, place) in places.iter().enumerate() {
            let (own, port) = (place.address, place.admin.port());
            writeln!(
                text,
                "  server replica{number} {own} proto h2 check check-proto h1 port {port} inter 200ms fall 1 rise 1"
            )
            .unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, text).unwrap();
        let mut command = Command::new(program("haproxy"));
        command.arg("-db").arg("-q").arg("-f").arg(&file);
        Self::started(command, address, folder)
    }

    /// nginx (free of charge) asks nothing: it learns from a refused connection or stream, and asks the next replica.
    pub(crate) fn nginx(places: &[Place]) -> Self {
        let [address] = free_ports();
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().display();
        let servers = places
            .iter()
            .map(|place| format!("server {} max_fails=1 fail_timeout=1s;", place.address));
        let servers = servers.collect::<Vec<_>>().join(" ");
        let text = format!(
            "daemon off; worker_processes 1; pid {own}/pid; error_log {own}/error.log;\n\
             events {{}}\n\
             http {{\n  access_log off;\n  client_body_temp_path {own}/a; proxy_temp_path {own}/b; fastcgi_temp_path {own}/c;\n\
             \x20 uwsgi_temp_path {own}/d; scgi_temp_path {own}/e;\n\
             \x20 upstream replicas {{ {servers} keepalive 32; }}\n\
             \x20 server {{\n    listen {address} http2;\n    keepalive_requests 1000000;\n\
             \x20   location / {{ grpc_pass grpc://replicas; grpc_next_upstream error timeout; }}\n  }}\n}}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, text).unwrap();
        let mut command = Command::new(program("nginx"));
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        Self::started(command, address, folder)
    }

    fn started(mut command: Command, address: SocketAddr, folder: TempDir) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut proxy = Self { child, address, _folder: folder };
        // Its port opens a moment later, if at all.
        while TcpStream::connect(address).is_err() {
            let ended = proxy.child.try_wait().unwrap();
            assert!(ended.is_none(), "a proxy ended at once: {ended:?}");
        }
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // By the signal that lets it end its workers as well.
        Command::new("kill").arg(self.child.id().to_string()).status().ok();
        self.child.wait().ok();
    }
}

/// Where a program stands; administrators' ones are not in everybody's path.
fn program(name: &str) -> String {
    let path = env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/local/sbin";
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.exists());
    let found = found.unwrap_or_else(|| panic!("{name} is not installed: apt-get install {name}"));
    found.to_str().unwrap().to_owned()
}

/// Ports that nobody has, all different.
pub(crate) fn free_ports<const N: usize>() -> [SocketAddr; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}
