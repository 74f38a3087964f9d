//! Connections: one pool to one server, with TLS where the address says so. Knows nothing of what
//! is asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::address::{Protocol, RemoteAddress};
use crate::attempt::{Trouble, with_causes};

/// A connection that takes longer than this is not worth having.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why no store could be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The file of certificates cannot be read.
    CertificateFile {
        /// Which.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The machine trusts nobody.
    NoCertificates(String),
    /// Threads or sockets could not be had.
    Runtime(std::io::Error),
}

impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ConnectError::CertificateFile { path, message } => {
                write!(f, "could not read certificates from `{}`: {message}", path.display())
            }
            ConnectError::NoCertificates(why) => {
                write!(f, "this machine has no certificates to trust{why}")
            }
            ConnectError::Runtime(error) => write!(f, "could not start the network: {error}"),
        }
    }
}

impl std::error::Error for ConnectError {}

/// Connections to one server. Cheap to clone.
pub(crate) struct Connection<B> {
    client: Client<HttpsConnector<HttpConnector>, B>,
    headers: Arc<HeaderMap>,
}

impl<B> Clone for Connection<B> {
    fn clone(&self) -> Connection<B> {
        Connection { client: self.client.clone(), headers: Arc::clone(&self.headers) }
    }
}

impl<B> Connection<B>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Connects to nothing yet.
    pub(crate) fn new(
        address: &RemoteAddress,
        ca_file: Option<&Path>,
        mut headers: HeaderMap,
        timeout: Duration,
        connections: usize,
    ) -> Result<Connection<B>, ConnectError> {
        let agent = HeaderValue::from_static(concat!("bytekiln/", env!("CARGO_PKG_VERSION")));
        headers.entry(header::USER_AGENT).or_insert(agent);
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(timeout.min(CONNECT_TIMEOUT)));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let tls = tls(address.encrypted, ca_file)?;
        let https = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let is_grpc = address.protocol == Protocol::Grpc;
        let connector = if is_grpc {
            https.enable_http2().wrap_connector(tcp)
        } else {
            https.enable_http1().wrap_connector(tcp)
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_max_idle_per_host(connections)
            .http2_only(is_grpc)
            .http2_initial_stream_window_size(4 << 20)
            .http2_initial_connection_window_size(16 << 20)
            .http2_max_frame_size(1 << 20)
            .build(connector);
        Ok(Connection { client, headers: Arc::new(headers) })
    }

    /// Sends a request with the user's headers. Follows no redirects.
    pub(crate) fn send(&self, mut request: Request<B>) -> ResponseFuture {
        for (name, value) in self.headers.iter() {
            request.headers_mut().append(name, value.clone());
        }
        self.client.request(request)
    }
}

/// A server that cannot be reached, or broke off.
pub(crate) fn trouble(error: &hyper_util::client::legacy::Error) -> Trouble {
    let message = with_causes(error);
    // A certificate does not get better by looking at it again.
    if message.contains("certificate") {
        Trouble::Lasting(message)
    } else {
        Trouble::Passing(message)
    }
}

/// The face that gRPC wants.
impl<B> tower_service::Service<Request<B>> for Connection<B>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<hyper::body::Incoming>;
    type Error = hyper_util::client::legacy::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        self.send(request)
    }
}

/// Whom to trust: those of the file and nobody else, or whom the machine trusts.
fn tls(encrypted: bool, ca_file: Option<&Path>) -> Result<ClientConfig, ConnectError> {
    let mut roots = RootCertStore::empty();
    match ca_file.filter(|_| encrypted) {
        Some(path) => {
            let fail =
                |message: String| ConnectError::CertificateFile { path: path.to_owned(), message };
            let found = CertificateDer::pem_file_iter(path).map_err(|e| fail(e.to_string()))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| fail(error.to_string()))?;
                roots.add(certificate).map_err(|error| fail(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(fail("there is none in it".to_owned()));
            }
        }
        None if encrypted => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                let why = found.errors.first().map(|error| format!(": {error}"));
                return Err(ConnectError::NoCertificates(why.unwrap_or_default()));
            }
        }
        None => {}
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|error| unreachable!("ring speaks TLS 1.2 and 1.3: {error}"));
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}
