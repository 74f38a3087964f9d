//! Addresses of remote caches, as typed. Knows no network.

/// Which protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// GET, HEAD and PUT of `/ac/HEX` and `/cas/HEX`.
    Http,
    /// The Remote Execution API, over gRPC.
    Grpc,
}

/// `http(s)://HOST[:PORT][/PREFIX]` or `grpc(s)://HOST[:PORT][/INSTANCE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteAddress {
    pub(crate) protocol: Protocol,
    pub(crate) encrypted: bool,
    /// `HOST:PORT`, as in a URL; IPv6 in brackets.
    pub(crate) authority: String,
    /// Between the authority and `/ac/`, without slashes at its ends; or the instance name.
    pub(crate) path: String,
    typed: String,
}

/// Why a text is no address of a remote cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError(String);

impl std::fmt::Display for AddressError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AddressError {}

impl RemoteAddress {
    /// Whether an executor may be there: that protocol has only gRPC.
    pub fn is_grpc(&self) -> bool {
        self.protocol == Protocol::Grpc
    }

    /// Reads an address.
    ///
    /// # Errors
    /// Where the scheme is unknown, there is no host, or there is more than an address has: a user,
    /// a query, a fragment.
    pub fn parse(text: &str) -> Result<RemoteAddress, AddressError> {
        let wrong = |why: &str| Err(AddressError(why.to_owned()));
        let Some((scheme, rest)) = text.split_once("://") else {
            return wrong("it has no scheme: http, https, grpc or grpcs");
        };
        let (protocol, encrypted) = match scheme {
            "http" => (Protocol::Http, false),
            "https" => (Protocol::Http, true),
            "grpc" => (Protocol::Grpc, false),
            "grpcs" => (Protocol::Grpc, true),
            other => {
                let message = format!("`{other}` is no scheme of it: http, https, grpc, grpcs are");
                return Err(AddressError(message));
            }
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return wrong("it names a user: put secrets into a header file");
        }
        if text.contains(['?', '#']) {
            return wrong("it has a query or a fragment, which no cache has");
        }
        let path = path.trim_matches('/');
        let parsed: Result<http::uri::Authority, _> = authority.parse();
        let port_is_sound = |found: &http::uri::Authority| match authority.rsplit_once(':') {
            Some((_, port)) if !port.ends_with(']') => found.port_u16().is_some(),
            _ => true,
        };
        match parsed {
            Ok(found) if !found.host().is_empty() && port_is_sound(&found) => {}
            _ => return wrong("its host or port cannot be read"),
        }
        if format!("/{path}/ac/").parse::<http::uri::PathAndQuery>().is_err() {
            return wrong("its path cannot be read");
        }
        Ok(RemoteAddress {
            protocol,
            encrypted,
            authority: authority.to_owned(),
            path: path.to_owned(),
            typed: text.trim_end_matches('/').to_owned(),
        })
    }
}

impl std::fmt::Display for RemoteAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.typed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let read = |text: &str| match RemoteAddress::parse(text) {
            Ok(found) => {
                let RemoteAddress { protocol, encrypted, authority, path, .. } = &found;
                format!("{protocol:?} {encrypted} {authority} /{path} <- {found}\n")
            }
            Err(error) => format!("{error} <- {text}\n"),
        };
        let all: String = [
            "http://cache:8080",
            "https://cache.example/a/b/",
            "grpc://127.0.0.1:8980",
            "grpcs://[::1]:8980/main/ci",
            "cache:8080",
            "ftp://cache",
            "http://",
            "http://:80",
            "http://a b",
            "http://cache:port",
            "http://cache:99999",
            "http://me:secret@cache",
            "http://cache/?a=b",
            "http://cache/a b",
        ]
        .map(read)
        .concat();
        expect_test::expect![[r#"
            Http false cache:8080 / <- http://cache:8080
            Http true cache.example /a/b <- https://cache.example/a/b
            Grpc false 127.0.0.1:8980 / <- grpc://127.0.0.1:8980
            Grpc true [::1]:8980 /main/ci <- grpcs://[::1]:8980/main/ci
            it has no scheme: http, https, grpc or grpcs <- cache:8080
            `ftp` is no scheme of it: http, https, grpc, grpcs are <- ftp://cache
            its host or port cannot be read <- http://
            its host or port cannot be read <- http://:80
            its host or port cannot be read <- http://a b
            its host or port cannot be read <- http://cache:port
            its host or port cannot be read <- http://cache:99999
            it names a user: put secrets into a header file <- http://me:secret@cache
            it has a query or a fragment, which no cache has <- http://cache/?a=b
            its path cannot be read <- http://cache/a b
        "#]]
        .assert_eq(&all);
    }
}
