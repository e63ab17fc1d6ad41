//! Plugins that are job protocols, behind the core's [`JobProtocol`].

use core::marker::PhantomData;

use coreota::{
    Version,
    error::Failure,
    job::{Ask, Heard, JobProtocol, NAME_MAX, Offer, Status},
    message::{Draft, Message},
    plugin::{Plug, Plugged},
    wire::Writer,
};
use coreota_plugin_abi::{self as abi, Action, Event, Hear, Input, Kind, Report};
use heapless::String;

use crate::{
    Hosted, Usage,
    parser::failure,
    talk::{Said, Talk},
};

/// A job protocol that a plugin speaks.
///
/// The name of the current job is kept here too: where the plugin breaks down, its next instance is
/// told by it what it works on, as after a reboot.
pub struct PluginJobs<H> {
    talk: Talk,
    current: String<NAME_MAX>,
    offered: String<NAME_MAX>,
    /// A final report was sent last: once accepted, the job is over.
    ending: bool,
    home: PhantomData<fn() -> H>,
}

impl<H> PluginJobs<H> {
    /// What the plugin takes of its arena.
    pub fn usage(&mut self) -> Usage {
        self.talk.usage()
    }

    /// Fuel that the last event burned.
    pub fn burned(&mut self) -> u32 {
        self.talk.burned()
    }

    /// Makes the plugin ready; one that begins anew learns of the current job.
    fn wake(&mut self) -> Result<(), Failure> {
        match self.talk.wake()? && !self.current.is_empty() {
            true => self.tell_current(),
            false => Ok(()),
        }
    }

    fn tell_current(&mut self) -> Result<(), Failure> {
        let input = Input { a: self.current.as_bytes(), ..Input::default() };
        self.talk.hear(Event::Adopt, input, |_, _| Ok(()))?.done()
    }

    fn over(&mut self) {
        self.current.clear();
        self.ending = false;
    }

    fn try_hear<'m>(&mut self, message: Message<'m>) -> Result<Heard<'m>, Failure> {
        self.wake()?;
        let (a, b) = (message.topic.as_bytes(), message.payload);
        let mut said = None;
        let (mut name, mut document) = (None, None);
        // What the core is handed is the message's, not the plugin's: an offer outlives the call.
        let lent = |at: Option<usize>, len: u32| {
            let at = at?.checked_sub(abi::INPUT_HEADER)?;
            let (bytes, at) = match at.checked_sub(a.len()) {
                Some(at) => (b, at),
                None => (a, at),
            };
            bytes.get(at..)?.get(..len as usize)
        };
        let input = Input { a, b, ..Input::default() };
        let told = self.talk.hear(Event::Message, input, |action, places| {
            match action {
                Action::Hear(hear, why) if said.is_none() => said = Some((hear, why)),
                Action::Hear(..) => return Err(Failure::PluginAnswer),
                Action::Job(span) => name = Some(lent(places.in_input(span), span.len)),
                Action::Document(span) => document = Some(lent(places.in_input(span), span.len)),
                _ => {}
            }
            Ok(())
        })?;
        match told {
            Said::Done => {}
            Said::NotMine => return Ok(Heard::NotMine),
            Said::No(why) => return Ok(Heard::Malformed(why)),
        }
        let (hear, why) = said.ok_or(Failure::PluginAnswer)?;
        Ok(match hear {
            Hear::Offer | Hear::OfferStarted => {
                let name = name.flatten().ok_or(Failure::PluginAnswer)?;
                let name = core::str::from_utf8(name).map_err(|_| Failure::PluginAnswer)?;
                let document = document.flatten().ok_or(Failure::PluginAnswer)?;
                self.offered = name_of(name).map_err(|_| Failure::PluginAnswer)?;
                Heard::Offer(Offer { name, started: hear == Hear::OfferStarted, document })
            }
            Hear::NoJob => Heard::NoJob,
            Hear::Over => {
                self.over();
                Heard::Over
            }
            Hear::Accepted => {
                if self.ending {
                    self.over();
                }
                Heard::Accepted
            }
            Hear::Again => Heard::Again,
            Hear::Refused => Heard::Refused(why.map_or(Failure::ProviderRefused, failure)),
            Hear::Changed => Heard::Changed,
            Hear::Ignored => Heard::Ignored,
        })
    }
}

impl<H: Hosted> JobProtocol for PluginJobs<H> {
    fn new(thing: &str) -> Result<Self, Failure> {
        Ok(PluginJobs {
            talk: Talk::new(H::HOME, Kind::Jobs, thing)?,
            current: String::new(),
            offered: String::new(),
            ending: false,
            home: PhantomData,
        })
    }

    fn subscription(&self, index: usize, topic: &mut Writer<'_>) -> bool {
        self.talk.subscription(index, topic)
    }

    fn adopt(&mut self, name: &str) -> Result<(), Failure> {
        self.talk.wake()?;
        self.current = name_of(name)?;
        self.ending = false;
        self.tell_current()
    }

    fn ask(&mut self, ask: Ask, draft: &mut Draft<'_>) -> Result<(), Failure> {
        self.wake()?;
        let ask = match ask {
            Ask::Peek => abi::Ask::Peek,
            Ask::Start => abi::Ask::Start,
            Ask::Current => abi::Ask::Current,
        };
        self.talk.publish(Event::Ask, Input { x: ask.number(), ..Input::default() }, draft)
    }

    fn report(&mut self, status: &Status<'_>, draft: &mut Draft<'_>) -> Result<(), Failure> {
        if self.current.is_empty() {
            return Err(Failure::Misconfigured);
        }
        self.wake()?;
        let (mut running, mut before) = (Text::default(), Text::default());
        let mut input = Input::default();
        let report = match *status {
            Status::Started => Report::Started,
            Status::Receiving { received, total } => {
                (input.y, input.z) = (received, total);
                Report::Receiving
            }
            Status::Staged { running: version } => {
                input.a = text(version, &mut running);
                Report::Staged
            }
            Status::Testing { from } => {
                input.b = text(from, &mut before);
                Report::Testing
            }
            Status::Succeeded { running: version, from } => {
                (input.a, input.b) = (text(version, &mut running), text(from, &mut before));
                Report::Succeeded
            }
            // Where there is no version, what there is now stands in words.
            Status::Done { note } => {
                input.a = note.as_bytes();
                Report::Succeeded
            }
            Status::Failed { why, note } | Status::Rejected { why, note } => {
                (input.a, input.b) = (why.text().as_bytes(), note.as_bytes());
                input.y = why.code().into();
                match status {
                    Status::Failed { .. } => Report::Failed,
                    _ => Report::Rejected,
                }
            }
        };
        input.x = report.number();
        self.ending = status.is_final();
        self.talk.publish(Event::Report, input, draft)
    }

    fn hear<'m>(&mut self, message: Message<'m>) -> Heard<'m> {
        match self.try_hear(message) {
            Ok(heard) => heard,
            // Longer than anything this protocol takes.
            Err(Failure::TooBig) => Heard::NotMine,
            Err(why) => Heard::Malformed(why),
        }
    }

    fn take(&mut self) -> Result<(), Failure> {
        if self.offered.is_empty() {
            return Err(Failure::Misconfigured);
        }
        self.current = core::mem::take(&mut self.offered);
        self.ending = false;
        // One that begins anew has no offer to take.
        match self.talk.wake()? {
            true => self.tell_current(),
            false => self.talk.hear(Event::Take, Input::default(), |_, _| Ok(()))?.done(),
        }
    }

    fn current(&self) -> &str {
        &self.current
    }

    fn plug(&mut self, slot: u8, step: Plug<'_>) -> Plugged {
        (H::HOME.slot == Some(slot)).then(|| self.talk.plug(step))
    }
}

/// `255.255.65535+4294967295`
type Text = [u8; 24];

fn text(version: Version, to: &mut Text) -> &[u8] {
    let mut writer = Writer::new(to);
    let Version { major, minor, revision, build } = version;
    for (mark, number) in
        [("", major.into()), (".", minor.into()), (".", revision.into()), ("+", build)]
    {
        // A build number of 0 is none.
        if mark != "+" || number > 0 {
            writer.text(mark);
            writer.number(number);
        }
    }
    let len = writer.finish().map_or(0, <[u8]>::len);
    to.get(..len).unwrap_or_default()
}

fn name_of(name: &str) -> Result<String<NAME_MAX>, Failure> {
    match name {
        "" => Err(Failure::BadText),
        name => String::try_from(name).map_err(|_| Failure::BadText),
    }
}
