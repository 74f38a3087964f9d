//! TLS: whom to trust, and whom not.

use std::path::{Path, PathBuf};

use bytekiln_cache::Store as _;
use bytekiln_remote::{RemoteOptions, RemoteStore};
use bytekiln_test_support::servers::{Certificate, Server};
use bytekiln_test_support::store_conformance::blob;

use crate::stores::options;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/certificates").join(name)
}

fn connect(address: &str, ca_file: Option<&str>) -> Result<(), String> {
    let options = RemoteOptions { ca_file: ca_file.map(file), ..options(address) };
    let store = RemoteStore::new(options).map_err(|error| error.to_string())?;
    let blob = blob(b"over a wire that nobody reads");
    store.write_blobs(std::slice::from_ref(&blob)).map_err(|error| error.to_string())?;
    let found = store.read_blobs(&[blob.digest]).map_err(|error| error.to_string())?;
    assert!(found[0].is_some());
    Ok(())
}

#[test]
fn certificates_are_checked() {
    let key = file("server.key");
    let casd = Server::casd();
    for name in ["good.pem", "expired.pem"] {
        let chain = file(name);
        let certificate = Certificate { chain: &chain, key: &key };
        let http = Server::nginx(Some(certificate));
        let grpc = casd.as_ref().and_then(|casd| Server::nginx_before(casd, certificate));
        let servers = [("https", &http), ("grpcs", &grpc)];
        for (scheme, server) in servers {
            let Some(server) = server else { continue };
            let address = format!("{scheme}://{}", server.authority());
            let trusting = connect(&address, Some("authority.pem"));
            match name {
                "good.pem" => assert_eq!(trusting, Ok(()), "{scheme}"),
                _ => assert!(
                    trusting.clone().is_err_and(|why| why.contains("xpired")),
                    "{trusting:?}"
                ),
            }
            // This machine knows no such authority.
            let stranger = connect(&address, None);
            assert!(stranger.clone().is_err_and(|why| why.contains("certificate")), "{stranger:?}");
            // Who expects no encryption gets no answer that is one.
            let plain = address.replace("https", "http").replace("grpcs", "grpc");
            assert!(connect(&plain, None).is_err());
        }
    }
}
