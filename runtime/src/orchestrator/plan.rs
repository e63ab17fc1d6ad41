//! From an offered job to a decision: what the document says, and whether this device wants it.
//!
//! Nothing is written and nothing is told here. What a plan says is not believed either: it spares
//! a useless download, no more.

use crate::{
    descriptor::Descriptor,
    error::{Blame, Failure},
    field::Field,
    hooks::{Decision, Hooks},
    job::Offer,
    journal::{Event, Journal},
    parser::{Chain, Declined, Parse},
    pipeline::{Accept, Pipeline},
    plugin::{
        Content, Plugins,
        order::{self, Order},
    },
    transport::Geometry,
    verify::{Claim, Hash, Rules, SIGNATURE_MAX},
    version::Version,
};
use heapless::{String, Vec};

/// Longest name of a block protocol, in bytes.
pub const PROTOCOL_MAX: usize = 32;
/// Longest stream name that fits a plan, in bytes: AWS IoT's own limit.
pub const PLACE_MAX: usize = 128;

/// What a job wants, decoded and owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Name of the block protocol; empty for that of MQTT streams.
    pub protocol: String<PROTOCOL_MAX>,
    /// Stream name, or whatever the protocol knows the file by.
    pub place: String<PLACE_MAX>,
    /// Which file, in what blocks.
    pub geometry: Geometry,
    /// What the job promises of it.
    pub claim: Claim,
    /// Tells this file from others: see [`Record::fingerprint`](crate::journal::Record).
    pub fingerprint: [u8; 32],
}

/// More words on a refusal, in ASCII.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Note(pub(super) String<96>);

/// What is to become of an offered job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // no heap to put the plan on; it is gone at once
pub(super) enum Outcome<Plan> {
    Take(Plan),
    /// All that the job brings is here.
    Here,
    Order(Order),
    Later,
    Refuse(Failure, Note),
}

impl Declined for Note {
    fn declined(&mut self, parser: &str, why: Failure) {
        // What does not fit is left out whole.
        let before = self.0.len();
        let mut digits = [0; 4];
        let mut code = crate::wire::Writer::new(&mut digits);
        code.hex(why.code().into(), 4);
        let code = code.finish().ok().and_then(|code| core::str::from_utf8(code).ok());
        for part in [if before == 0 { "" } else { ", " }, parser, " 0x", code.unwrap_or_default()] {
            if self.0.push_str(part).is_err() {
                self.0.truncate(before);
                return;
            }
        }
    }
}

/// What an offer is weighed against.
pub(super) struct Scales<'s, P: Pipeline, H> {
    pub(super) parsers: &'s mut P::Parsers,
    pub(super) journal: &'s Journal,
    pub(super) plugins: &'s P::Plugins,
    pub(super) hooks: &'s mut H,
    pub(super) running: Version,
    pub(super) now_ms: u32,
    /// Set to when a job put off is asked about again.
    pub(super) deferred: &'s mut Option<u32>,
}

impl<P: Pipeline, H: Hooks> Scales<'_, P, H> {
    /// Thinks an offer through.
    #[inline(never)]
    pub(super) fn consider(mut self, offer: Offer<'_>) -> Outcome<Plan> {
        let order = match P::Plugins::ANY {
            true => order::read(offer.document, self.plugins.names()),
            false => None,
        };
        let outcome = match order {
            Some(Ok(order)) => self.order(offer, order),
            Some(Err(why)) => Outcome::Refuse(why, Note::default()),
            None => self.files(offer),
        };
        if !matches!(outcome, Outcome::Later) {
            *self.deferred = None;
        }
        outcome
    }

    /// Whether an order is obeyed, and when. One that changes nothing is, always.
    fn order(&mut self, offer: Offer<'_>, order: Order) -> Outcome<Plan> {
        let Order::Set(slot, to) = order else { return Outcome::Order(order) };
        let name = self.plugins.names().get(usize::from(slot)).copied().unwrap_or_default();
        let hooks = &mut *self.hooks;
        let ask = || hooks.decide_order(offer.name, name, to);
        match decide::<P>(offer.started, self.now_ms, self.deferred, ask) {
            Decision::Accept => Outcome::Order(order),
            Decision::Reject => Outcome::Refuse(Failure::Policy, Note::default()),
            Decision::Defer { .. } => Outcome::Later,
        }
    }

    /// Finds the first file of the job that is not here yet: plugins come before the image that may
    /// need them.
    fn files(&mut self, offer: Offer<'_>) -> Outcome<Plan> {
        let mut note = Note::default();
        for index in 0..=u8::MAX {
            // Looked at where it is: to move it took more flash than to read it.
            let parsed = self.parsers.parse(offer.document, index, &mut note);
            let descriptor = match &parsed {
                Parse::NotMine(why) | Parse::Malformed(why) => return Outcome::Refuse(*why, note),
                Parse::Descriptor(descriptor) => descriptor,
            };
            let more = index.checked_add(1).is_some_and(|next| next < descriptor.files);
            let content = descriptor.content;
            let capacity = match content {
                Content::Image => P::LAYOUT.capacity,
                _ if P::Plugins::ANY => self.plugins.room().capacity,
                _ => return Outcome::Refuse(Failure::NoPlugin, Note::default()),
            };
            let rules = Rules { running: self.running, ..P::RULES };
            let plan = match plan(descriptor, &rules, capacity, P::BLOCK) {
                Ok(plan) => plan,
                Err(why) => return Outcome::Refuse(why, Note::default()),
            };
            if content == Content::Image {
                if more {
                    return Outcome::Refuse(Failure::TooManyFiles, Note::default());
                }
            } else if self.plugins.find(&plan.fingerprint).is_some() {
                if more {
                    continue;
                }
                return Outcome::Here;
            }
            return match fresh(&plan, self.journal) {
                Err(why) => Outcome::Refuse(why, Note::default()),
                Ok(()) => {
                    // What the provider counts as started was accepted before; but not yet the files
                    // behind the first.
                    let mut started = offer.started;
                    if P::Plugins::ANY && index > 0 {
                        let known = self.journal.record();
                        started &= known.is_some_and(|known| known.fingerprint == plan.fingerprint);
                    }
                    let hooks = &mut *self.hooks;
                    let ask = || hooks.decide(offer.name, descriptor);
                    match decide::<P>(started, self.now_ms, self.deferred, ask) {
                        Decision::Accept => Outcome::Take(plan),
                        Decision::Reject => Outcome::Refuse(Failure::Policy, Note::default()),
                        Decision::Defer { .. } => Outcome::Later,
                    }
                }
            };
        }
        Outcome::Refuse(Failure::TooManyFiles, Note::default())
    }
}

/// What the policy says of a job, which may be to `ask`; and until when it is put off.
fn decide<P: Pipeline>(
    started: bool,
    now_ms: u32,
    deferred: &mut Option<u32>,
    ask: impl FnOnce() -> Decision,
) -> Decision {
    if P::POLICY.accept == Accept::Always || started {
        return Decision::Accept;
    }
    // Pushed again while put off: the answer stands until its time.
    if let Some(left) = deferred.map(|until| until.wrapping_sub(now_ms))
        && left as i32 > 0
    {
        return Decision::Defer { ms: left };
    }
    let decision = ask();
    if let Decision::Defer { ms } = decision {
        *deferred = Some(now_ms.wrapping_add(ms.clamp(1, i32::MAX as u32)));
    }
    decision
}

/// Decodes a descriptor and refuses what would be refused after the download anyway; `capacity` of
/// the slot and `block` in bytes.
///
/// # Errors
/// Whatever in the descriptor the device would refuse the job for.
#[inline(never)]
pub fn plan(
    descriptor: &Descriptor<'_>,
    rules: &Rules,
    capacity: u32,
    block: u32,
) -> Result<Plan, Failure> {
    if descriptor.size == 0 {
        return Err(Failure::SizeZero);
    }
    if descriptor.size > capacity {
        return Err(Failure::TooLarge);
    }
    if let Some(board) = descriptor.board {
        let mut text = [0; 64];
        if board.decode(&mut text)? != rules.board.as_bytes() {
            return Err(Failure::OtherBoard);
        }
    }
    if let (Some(version), Content::Image) = (descriptor.version, descriptor.content) {
        let version = Version::parse(text(version, &mut [0; 32])?)?;
        if !rules.older_allowed && version <= rules.running {
            return Err(Failure::NotNewer);
        }
    }
    let protocol = match descriptor.protocol {
        Some(protocol) => owned(protocol)?,
        None => String::new(),
    };
    let place = owned(descriptor.stream.ok_or(Failure::NoTransport)?)?;

    let sha256 = match descriptor.sha256 {
        None => None,
        Some(field) => {
            let mut digest = [0; 32];
            let digest = <[u8; 32]>::try_from(field.decode(&mut digest)?);
            Some(digest.map_err(|_| Failure::BadEncoding)?)
        }
    };
    let signature = match descriptor.signature {
        // A plugin is verified again at every boot, when its job is long forgotten.
        _ if descriptor.content != Content::Image => None,
        None => None,
        Some((algorithm, field)) => {
            let mut bytes = [0; SIGNATURE_MAX];
            let bytes = Vec::from_slice(field.decode(&mut bytes)?);
            Some((algorithm, bytes.map_err(|_| Failure::BadEncoding)?))
        }
    };
    let content = descriptor.content;
    let mut hash = Hash::new();
    if content != Content::Image {
        hash.update(&(content as u32).to_le_bytes());
    }
    hash.update(&descriptor.size.to_le_bytes());
    hash.update(&sha256.unwrap_or_default());
    match &signature {
        Some((_, signature)) => hash.update(signature),
        None if sha256.is_some() => {}
        None => hash.update(place.as_bytes()),
    }
    Ok(Plan {
        protocol,
        place,
        geometry: Geometry { size: descriptor.size, block, file: descriptor.file },
        claim: Claim { content, size: descriptor.size, sha256, signature },
        fingerprint: hash.so_far(),
    })
}

/// A field's text, decoded into `room`.
fn text<'r>(field: Field<'_>, room: &'r mut [u8]) -> Result<&'r str, Failure> {
    core::str::from_utf8(field.decode(room)?).map_err(|_| Failure::BadText)
}

/// A copy of a field's text, decoded.
fn owned<const MAX: usize>(field: Field<'_>) -> Result<String<MAX>, Failure> {
    String::try_from(text(field, &mut [0; MAX])?).map_err(|_| Failure::BadText)
}

/// Refuses a file that this device has proved bad before: its provider may offer it for ever.
fn fresh(plan: &Plan, journal: &Journal) -> Result<(), Failure> {
    let known = journal.record().is_some_and(|record| record.fingerprint == plan.fingerprint);
    match journal.last() {
        Some(Event::Failed(why) | Event::Told(Some(why)))
            if known
                && (matches!(why.blame(), Blame::Image | Blame::Plugin)
                    || why == Failure::NotBooted) =>
        {
            Err(Failure::RefusedBefore)
        }
        _ => Ok(()),
    }
}
