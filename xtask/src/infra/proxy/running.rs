//! The proxy with its own configuration, on free ports.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use hindcast_test_services::ports;

use super::upstream::Upstream;
use crate::{
    command::{program, root},
    failure::Failure,
};

const START_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// A running proxy; it ends when this is dropped.
pub(super) struct Proxy {
    child: Child,
    folder: PathBuf,
    first_port: u16,
}

/// An answer through the proxy.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Where a redirection leads.
    pub(super) location: String,
    pub(super) body: String,
}

impl Answer {
    /// The name of the server that answered.
    pub(super) fn upstream(&self) -> &str {
        self.body.lines().next().unwrap_or_default()
    }
}

impl Proxy {
    pub(super) fn start(folder: &Path, upstreams: &[Upstream]) -> Result<Self, Failure> {
        certificate(folder)?;
        let first_port = ports::free(3)?;
        let at = |port: u16| format!("127.0.0.1:{port}");
        let mut haproxy = Command::new("haproxy");
        haproxy.args(["-db", "-f"]).arg(root().join("infra/proxy/haproxy.cfg")).stdin(Stdio::null());
        haproxy.env("HINDCAST_PROXY_HTTPS", at(first_port));
        haproxy.env("HINDCAST_PROXY_HTTP", at(first_port.saturating_add(1)));
        haproxy.env("HINDCAST_PROXY_PROBE", at(first_port.saturating_add(2)));
        haproxy.env("HINDCAST_PROXY_CERTIFICATE", folder.join("proxy.pem"));
        for upstream in upstreams {
            let variable = format!("HINDCAST_{}", upstream.name.to_uppercase().replace('-', "_"));
            haproxy.env(variable, upstream.addr.to_string());
        }
        let log = folder.join("log");
        let out = fs::File::create(&log).and_then(|file| Ok((file.try_clone()?, file)));
        let (out, err) = out.map_err(|error| Failure::new(format!("{}: {error}", log.display())))?;
        let child = haproxy.stdout(out).stderr(err).spawn();
        let child = child.map_err(|error| Failure::new(format!("haproxy can't be started: {error}")))?;
        let mut proxy = Self { child, folder: folder.to_owned(), first_port };
        proxy.wait()?;
        Ok(proxy)
    }

    fn wait(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(("127.0.0.1", self.first_port)).is_err() {
            if Instant::now() >= deadline || !matches!(self.child.try_wait(), Ok(None)) {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(Failure::new(format!("haproxy does not start:\n{log}")));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// A request with curl, over TLS unless the path is a whole URL.
    pub(super) fn ask(&self, path: &str, arguments: &[&str]) -> Result<Answer, Failure> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.https()) };
        let certificate = self.folder.join("certificate.pem").display().to_string();
        let always = ["--silent", "--show-error", "--max-time", "20", "--cacert", &certificate];
        let write = ["--write-out", "\n%{redirect_url}\n%{http_code}", &url];
        let told = program(Path::new("curl"), always.iter().chain(arguments).chain(&write)).output()?;
        let (rest, status) = told.rsplit_once('\n').unwrap_or_default();
        let (body, location) = rest.rsplit_once('\n').unwrap_or_default();
        let status = status.parse().map_err(|_| Failure::new(format!("curl told {told:?}")))?;
        Ok(Answer { status, location: location.to_owned(), body: body.to_owned() })
    }

    pub(super) fn https(&self) -> String {
        format!("https://127.0.0.1:{}", self.first_port)
    }

    pub(super) fn http(&self) -> String {
        format!("http://127.0.0.1:{}", self.first_port.saturating_add(1))
    }

    pub(super) fn probe(&self) -> String {
        format!("http://127.0.0.1:{}/ready", self.first_port.saturating_add(2))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Made for this run, signed by itself.
fn certificate(folder: &Path) -> Result<(), Failure> {
    let file = |name: &str| folder.join(name).display().to_string();
    let (key, certificate) = (file("key.pem"), file("certificate.pem"));
    let make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
    let subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-batch"];
    let out = ["-keyout", &key, "-out", &certificate, "-quiet"];
    // Older ones know no -quiet and print dots.
    let made = |out: &[&str]| program(Path::new("openssl"), make.iter().chain(&subject).chain(out)).succeeds();
    if !made(&out) && !made(out.get(..4).unwrap_or_default()) {
        return Err(Failure::new("openssl can't make a certificate"));
    }
    let both = fs::read_to_string(&certificate).and_then(|certificate| Ok(certificate + &fs::read_to_string(&key)?));
    let written = both.and_then(|both| fs::write(folder.join("proxy.pem"), both));
    written.map_err(|error| Failure::new(format!("{}: {error}", folder.display())))
}
