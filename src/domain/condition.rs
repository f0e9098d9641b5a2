//! Origins and mechanisms.

/// Where heel pain can come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Lumbar spine and its roots, axial spondyloarthritis included.
    Spinal,
    /// Pelvis and hip region.
    Pelvic,
    /// A peripheral nerve of the leg, polyneuropathy included.
    PeripheralNerve,
    /// The heel itself.
    Local,
}

impl Origin {
    /// All origins, in the order used everywhere.
    pub const ALL: [Self; 4] = [Self::Spinal, Self::Pelvic, Self::PeripheralNerve, Self::Local];

    /// Position in [`Origin::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Spinal => 0,
            Self::Pelvic => 1,
            Self::PeripheralNerve => 2,
            Self::Local => 3,
        }
    }

    /// Id as in the knowledge base.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Spinal => "spinal",
            Self::Pelvic => "pelvic",
            Self::PeripheralNerve => "peripheral_nerve",
            Self::Local => "local",
        }
    }
}

/// How a condition acts on the heel. A systemic or inflammatory disease asks for another clinic than its origin suggests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// Irritation of a nerve root.
    Root,
    /// Entrapment of a peripheral nerve.
    Entrapment,
    /// Referred pain.
    Referred,
    /// Disease of the heel itself.
    Local,
    /// Disease of the nerves throughout the body.
    SystemicNeuropathy,
    /// Inflammatory disease.
    Inflammatory,
    /// Wear of the spine that acts through the root.
    Degenerative,
}

impl Mechanism {
    /// Id as in the knowledge base and on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Entrapment => "entrapment",
            Self::Referred => "referred",
            Self::Local => "local",
            Self::SystemicNeuropathy => "systemic_neuropathy",
            Self::Inflammatory => "inflammatory",
            Self::Degenerative => "degenerative",
        }
    }
}
