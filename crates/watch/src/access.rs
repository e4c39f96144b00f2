//! Who may see the pages.
//!
//! - Only this machine can connect, unless another address is bound. Then a token is needed: once in the
//!   address, from then on in a cookie; programs send it as `Authorization: Bearer`.
//! - Without a token, a request must name this machine as its host: another site that has its own name
//!   lead here (DNS rebinding) gets nothing. With one, such a site has no cookie.
//! - What changes something must come from a page of this server, or bring the token in its header.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;

use crate::error::WatchError;

/// Nothing is loaded from elsewhere, and no script runs that this server does not have. The chart library
/// writes styles of its own.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data: \
                      blob:; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const SHORTEST_TOKEN: usize = 16;

#[derive(Debug)]
pub(crate) struct Access {
    token: Option<String>,
    /// The name of the cookie: browsers share cookies between the ports of a machine.
    cookie: String,
}

impl Access {
    pub(crate) fn new(bound: SocketAddr, token: Option<&str>) -> Result<Self, WatchError> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        let token = match token {
            Some(token) if token.len() < SHORTEST_TOKEN => {
                return Err(WatchError::BadToken("too short"));
            }
            Some(token) if !token.chars().all(fits) => {
                return Err(WatchError::BadToken("not fit for an address"));
            }
            Some(token) => Some(token.to_owned()),
            None if bound.ip().is_loopback() => None,
            None => Some(drawn_token()?),
        };
        Ok(Self { token, cookie: format!("converge_watch_{}", bound.port()) })
    }

    /// What to open in a browser.
    pub(crate) fn url(&self, bound: SocketAddr) -> String {
        // No browser connects to "any address".
        let host = if bound.ip().is_unspecified() {
            let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let name = if name.trim().is_empty() { "localhost" } else { name.trim() };
            format!("{name}:{}", bound.port())
        } else {
            bound.to_string()
        };
        let token = self.token.as_ref().map(|token| format!("?token={token}"));
        format!("http://{host}/{}", token.unwrap_or_default())
    }

    fn is_token(&self, shown: &str) -> bool {
        let token = self.token.as_ref();
        token.is_some_and(|token| token.as_bytes().ct_eq(shown.as_bytes()).into())
    }

    fn bears_token(&self, headers: &HeaderMap) -> bool {
        let shown = text(headers, header::AUTHORIZATION).strip_prefix("Bearer ");
        shown.is_some_and(|shown| self.is_token(shown))
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let cookies = text(headers, header::COOKIE).split(';');
        let mut named = cookies.filter_map(|cookie| cookie.trim().split_once('='));
        named.any(|(name, value)| name == self.cookie && self.is_token(value))
    }
}

/// 128 bits.
fn drawn_token() -> Result<String, WatchError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(WatchError::NoRandomness)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Lets through who may pass.
pub(crate) async fn guard(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let refused = refuse(&access, &request);
    let mut response = match refused {
        Some(response) => response,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The answer to a request that does not pass.
fn refuse(access: &Access, request: &Request) -> Option<Response> {
    let headers = request.headers();
    let host = text(headers, header::HOST);
    let bears_token = access.bears_token(headers);
    if access.token.is_some() {
        let shown = parameters(request.uri()).find_map(|one| one.strip_prefix("token="));
        if request.method() == Method::GET && shown.is_some_and(|shown| access.is_token(shown)) {
            return Some(remember(access, request.uri(), shown.unwrap_or_default()));
        }
        if !bears_token && !access.has_cookie(headers) {
            let hint = "open the address with the token that `converge watch` printed";
            return Some((StatusCode::UNAUTHORIZED, hint).into_response());
        }
    } else if !is_this_machine(host) {
        let hint = "open http://localhost with the port: this page is only for its own machine";
        return Some((StatusCode::FORBIDDEN, hint).into_response());
    }
    let origin = text(headers, header::ORIGIN);
    let same = !host.is_empty() && origin.split_once("://").is_some_and(|(_, from)| from == host);
    if !matches!(*request.method(), Method::GET | Method::HEAD) && !same && !bears_token {
        return Some((StatusCode::FORBIDDEN, "this comes from another site").into_response());
    }
    None
}

/// Keeps the token in a cookie, and leads to the address without it.
fn remember(access: &Access, uri: &Uri, token: &str) -> Response {
    let others: Vec<&str> = parameters(uri).filter(|one| !one.starts_with("token=")).collect();
    // Two slashes would lead to another site.
    let path = format!("/{}", uri.path().trim_start_matches('/'));
    let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    let cookie = format!("{}={token}; Path=/; HttpOnly; SameSite=Lax", access.cookie);
    let headers = [(header::LOCATION, format!("{path}{query}")), (header::SET_COOKIE, cookie)];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn parameters(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().unwrap_or_default().split('&').filter(|one| !one.is_empty())
}

/// The text of a header; nothing where there is none.
fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether a `Host` is this machine, seen from itself. The port may be another: of a tunnel.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_this_machine() {
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:8765", "[::1]:8765", "127.1.2.3"] {
            assert!(is_this_machine(host), "{host}");
        }
        let others =
            ["", "evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", "10.0.0.1"];
        for host in others {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn a_token_is_drawn_where_others_can_connect_and_a_weak_one_is_refused() {
        let here = SocketAddr::from(([127, 0, 0, 1], 80));
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 80));
        assert!(Access::new(here, None).is_ok_and(|access| access.token.is_none()));
        let drawn = Access::new(everywhere, None).map(|access| access.token);
        assert!(drawn.is_ok_and(|token| token.is_some_and(|token| token.len() == 32)));
        assert!(Access::new(here, Some("short")).is_err());
        assert!(Access::new(here, Some("0123456789abcdef&")).is_err());
    }
}
