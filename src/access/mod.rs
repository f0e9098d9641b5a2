//! Who calls, and what they may do.
//!
//! A caller is known by a subject alternative name of its certificate or by the subject of a signed token. The table of callers is
//! configuration; nobody is added at run time, and quotas belong to the gateway in front.

mod token;

use std::time::SystemTime;

pub use token::{Tokens, TokensError, TokensFile};

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Score and ask for suggestions.
    Score,
    /// Read the knowledge base.
    Knowledge,
    /// Everything.
    Admin,
}

impl Role {
    /// All, with their ids.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Score, "score"), (Self::Knowledge, "knowledge"), (Self::Admin, "admin")];
}

/// Somebody who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name in logs, metrics and the audit log.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
}

impl Caller {
    /// Whether it may do what a role may.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.roles.contains(&role) || self.roles.contains(&Role::Admin)
    }
}

/// How a caller of the table is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The caller.
    pub caller: Caller,
    /// Subject alternative names of its certificates, as in [`Peer`](crate::transport::Peer).
    pub certificates: Vec<String>,
    /// Subjects of its tokens.
    pub subjects: Vec<String>,
}

/// The table of callers and what verifies them.
#[derive(Debug)]
pub struct Access {
    callers: Vec<Known>,
    tokens: Option<Tokens>,
}

/// What a request shows.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'r> {
    /// Names of the verified certificate.
    pub names: &'r [String],
    /// Value of the `authorization` header.
    pub authorization: Option<&'r str>,
}

/// Why a caller is not known. Counted, and never told to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// Neither certificate nor token was shown.
    Nothing,
    /// The token is none, or is signed in a way that is not accepted.
    Malformed,
    /// No key has the token's id.
    UnknownKey,
    /// The signature is wrong.
    Signature,
    /// The token is for another service, or from another issuer.
    Claims,
    /// The token is no longer or not yet valid.
    Expired,
    /// Certificate or token is sound and names nobody of the table.
    Unknown,
}

impl Refusal {
    /// All, with their ids.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Nothing, "nothing"),
        (Self::Malformed, "malformed"),
        (Self::UnknownKey, "unknown_key"),
        (Self::Signature, "signature"),
        (Self::Claims, "claims"),
        (Self::Expired, "expired"),
        (Self::Unknown, "unknown_caller"),
    ];
}

impl Access {
    /// A table of callers; tokens are read only where there is a way to verify them.
    #[must_use]
    pub const fn new(callers: Vec<Known>, tokens: Option<Tokens>) -> Self {
        Self { callers, tokens }
    }

    /// What verifies tokens, to be read again when its file changed.
    #[must_use]
    pub const fn tokens(&self) -> Option<&Tokens> {
        self.tokens.as_ref()
    }

    /// Who shows these credentials. A token decides alone where one is shown: the certificate may be that of a proxy.
    ///
    /// # Errors
    /// [`Refusal`] says why nobody is known.
    pub fn authenticate(
        &self,
        credentials: Credentials<'_>,
        now: SystemTime,
    ) -> Result<Caller, Refusal> {
        let Credentials { names, authorization } = credentials;
        let is_known = |known: &&Known| known.certificates.iter().any(|own| names.contains(own));
        if let Some(authorization) = authorization {
            let tokens = self.tokens.as_ref().ok_or(Refusal::Malformed)?;
            let subject = tokens.subject(authorization, now)?;
            let known = self.callers.iter().find(|known| known.subjects.contains(&subject));
            return known.map(|known| known.caller.clone()).ok_or(Refusal::Unknown);
        }
        if names.is_empty() {
            return Err(Refusal::Nothing);
        }
        let known = self.callers.iter().find(is_known);
        known.map(|known| known.caller.clone()).ok_or(Refusal::Unknown)
    }
}
