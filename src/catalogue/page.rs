//! Pages of a list.
//!
//! A token holds where the next page starts and a check sum over that and over what was asked, so that a token of another
//! filter, of another model or of one's own making is refused. It is no secret: it protects from mistakes, not from attacks.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tonic::Status;

use crate::grpc::status::{self, Fault};

const DEFAULT_SIZE: usize = 100;
const LARGEST_SIZE: usize = 500;
const CHECK_BYTES: usize = 8;

/// Cuts one page out of a list, unless its filter has faults already. `asked` names the list and its filter; the same words
/// must be given for every page.
pub(super) fn cut<T>(
    items: Vec<T>,
    asked: &[&str],
    page_size: i32,
    page_token: &str,
    faults: Vec<Fault>,
) -> Result<(Vec<T>, String), Status> {
    let size = size(page_size);
    let start = start(asked, page_token);
    let (size, start) = match (size, start) {
        (Ok(size), Ok(start)) if faults.is_empty() => (size, start),
        (size, start) => {
            let faults = faults.into_iter().chain(size.err()).chain(start.err());
            return Err(status::invalid(&faults.collect::<Vec<_>>()));
        }
    };
    let end = start.saturating_add(size);
    let next = if end < items.len() { token(asked, end) } else { String::new() };
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}

fn size(page_size: i32) -> Result<usize, Fault> {
    match usize::try_from(page_size) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(LARGEST_SIZE)),
        Err(_) => Err(Fault::new("page_size", "OUT_OF_RANGE", "must not be negative")),
    }
}

fn start(asked: &[&str], page_token: &str) -> Result<usize, Fault> {
    if page_token.is_empty() {
        return Ok(0);
    }
    let start =
        page_token.get(CHECK_BYTES * 2..).and_then(|hex| usize::from_str_radix(hex, 16).ok());
    // Making the token again is the check: whatever differs is not ours.
    start.filter(|start| token(asked, *start) == page_token).ok_or_else(|| {
        let remedy = "must be the next_page_token of the page before, with the same filter";
        Fault::new("page_token", "INVALID_PAGE_TOKEN", remedy)
    })
}

fn token(asked: &[&str], start: usize) -> String {
    let mut hash = Sha256::new();
    for word in asked {
        hash.update(word.len().to_be_bytes());
        hash.update(word.as_bytes());
    }
    hash.update(start.to_be_bytes());
    let sum = hash.finalize();
    format!("{:x}{start:x}", Bytes::copy_from_slice(&sum[..CHECK_BYTES]))
}
