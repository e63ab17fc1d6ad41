//! What protocols of either kind have in common: an event goes in, actions come out, checked.

use core::cell::{Cell, RefCell};

use coreota::{error::Failure, message::Draft, plugin::Plug, wire::Writer};
use coreota_plugin_abi::{Action, Answer, Event, Input, Kind, Span};
use heapless::String;

use crate::{
    Home, Usage,
    parser::failure,
    plugin::{Plugin, broken},
};

/// Longest name of a thing, in bytes.
pub const THING_MAX: usize = 128;
/// Most topics that a protocol subscribes to.
pub const TOPICS_MAX: usize = 8;

/// What a plugin made of an event.
pub(crate) enum Said {
    /// Its actions are told.
    Done,
    /// Not its own.
    NotMine,
    /// It refuses, or the input breaks a rule of the protocol.
    No(Failure),
}

impl Said {
    /// As the answer to something that can only be done or refused.
    pub(crate) const fn done(self) -> Result<(), Failure> {
        match self {
            Said::Done => Ok(()),
            Said::NotMine => Err(Failure::PluginRefused),
            Said::No(why) => Err(why),
        }
    }
}

/// Where the spans of an action are.
#[derive(Clone, Copy)]
pub(crate) struct Places<'p> {
    memory: &'p [u8],
    input: Span,
}

impl<'p> Places<'p> {
    pub(crate) fn of(&self, span: Span) -> Result<&'p [u8], Failure> {
        span.of(self.memory).map_err(broken)
    }

    /// The text of a span.
    pub(crate) fn text(&self, span: Span) -> Result<&'p str, Failure> {
        core::str::from_utf8(self.of(span)?).map_err(|_| Failure::BadText)
    }

    /// Where in the input a span begins.
    pub(crate) fn in_input(&self, span: Span) -> Option<usize> {
        span.within(self.input).and_then(|offset| usize::try_from(offset).ok())
    }
}

/// A protocol plugin of one thing.
pub(crate) struct Talk {
    /// Topics are asked for through a shared reference.
    plugin: RefCell<Plugin>,
    thing: String<THING_MAX>,
    /// It was told the name of the thing, and whoever uses this does not know yet.
    anew: Cell<bool>,
}

impl Talk {
    pub(crate) fn new(home: Home, kind: Kind, thing: &str) -> Result<Self, Failure> {
        let thing = String::try_from(thing).map_err(|_| Failure::BadText)?;
        Ok(Talk { plugin: RefCell::new(Plugin::new(home, kind)), thing, anew: Cell::new(false) })
    }

    pub(crate) fn plug(&mut self, step: Plug<'_>) -> Result<(), Failure> {
        self.plugin.get_mut().plug(step)
    }

    pub(crate) fn usage(&mut self) -> Usage {
        self.plugin.get_mut().usage()
    }

    pub(crate) fn burned(&mut self) -> u32 {
        self.plugin.get_mut().burned()
    }

    /// Makes the plugin ready. `true` where it began anew since this was asked last: all that it was
    /// told is lost, but for the name of the thing.
    pub(crate) fn wake(&mut self) -> Result<bool, Failure> {
        let Talk { plugin, thing, anew } = self;
        start(plugin.get_mut(), thing, anew)?;
        Ok(anew.replace(false))
    }

    /// Tells an event, and hears its actions.
    ///
    /// # Errors
    /// Of blame plugin, where it broke down or broke the interface; and those of `each`.
    pub(crate) fn hear(
        &mut self,
        event: Event,
        input: Input<'_>,
        each: impl FnMut(Action<Span>, Places<'_>) -> Result<(), Failure>,
    ) -> Result<Said, Failure> {
        hear(self.plugin.get_mut(), event, input, each)
    }

    /// Tells an event that is answered by a message, and writes that.
    pub(crate) fn publish(
        &mut self,
        event: Event,
        input: Input<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<(), Failure> {
        let mut messages = 0;
        let said = self.hear(event, input, |action, places| match action {
            Action::Publish { topic, payload } => {
                messages += 1;
                draft.topic.text(places.text(topic)?);
                draft.payload.put(places.of(payload)?);
                Ok(())
            }
            Action::GiveUp(why) => Err(failure(why)),
            _ => Ok(()),
        })?;
        said.done()?;
        if messages != 1 {
            return Err(Failure::PluginAnswer);
        }
        draft.topic.finish()?;
        draft.payload.finish().map(|_| ())
    }

    /// Writes the `index`th topic to subscribe to; `false` after the last.
    pub(crate) fn subscription(&self, index: usize, topic: &mut Writer<'_>) -> bool {
        let (Ok(mut plugin), Ok(x)) = (self.plugin.try_borrow_mut(), u32::try_from(index)) else {
            return false;
        };
        if index >= TOPICS_MAX || start(&mut plugin, &self.thing, &self.anew).is_err() {
            return false;
        }
        let mut found = false;
        let input = Input { x, ..Input::default() };
        let said = hear(&mut plugin, Event::Connected, input, |action, places| {
            if let Action::Subscribe(span) = action
                && !found
            {
                topic.text(places.text(span)?);
                found = true;
            }
            Ok(())
        });
        matches!(said, Ok(Said::Done)) && found
    }
}

/// Makes the plugin ready, and tells it the name of the thing where it begins anew.
fn start(plugin: &mut Plugin, thing: &str, anew: &Cell<bool>) -> Result<(), Failure> {
    plugin.wake()?;
    if plugin.take_new() {
        let input = Input { a: thing.as_bytes(), ..Input::default() };
        let started = hear(plugin, Event::Start, input, |_, _| Ok(())).and_then(Said::done);
        if let Err(why) = started {
            plugin.make_new();
            return Err(why);
        }
        anew.set(true);
    }
    Ok(())
}

fn hear(
    plugin: &mut Plugin,
    event: Event,
    input: Input<'_>,
    mut each: impl FnMut(Action<Span>, Places<'_>) -> Result<(), Failure>,
) -> Result<Said, Failure> {
    let result = plugin.call(|buffer| Some((event.number(), input.write(buffer)?)))?;
    let count = match Answer::read(result).map_err(broken)? {
        Answer::Records(count) => count,
        Answer::NotMine(_) => return Ok(Said::NotMine),
        Answer::Malformed(why) => return Ok(Said::No(failure(why))),
    };
    let (places, records) = {
        let (memory, input, records) = plugin.answer(count)?;
        (Places { memory, input }, records)
    };
    for record in records {
        if let Some(action) = Action::read(record).map_err(broken)? {
            each(action, places)?;
        }
    }
    Ok(Said::Done)
}
