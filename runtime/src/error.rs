//! What can go wrong on a device: numbered, `Copy`, without formatting.
//!
//! A number is never given another meaning, so that a fleet's dashboards stay true: the high byte
//! says who is to blame, the low byte which failure it is. Texts are short because they travel in
//! status details.

/// Who has to act on a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Blame {
    /// Whoever wrote the job: its document, or what it promises.
    Job = 0x01,
    /// The network, the broker or the provider.
    Link = 0x02,
    /// Whoever built or signed the image.
    Image = 0x03,
    /// The flash of this device, or its journal.
    Flash = 0x04,
    /// The bootloader, or its state in flash.
    Bootloader = 0x05,
    /// A plugin.
    Plugin = 0x06,
    /// This device: its policy, its self-test, its configuration.
    Device = 0x07,
}

/// Bits of a number's low byte that a [`Failure`] keeps: with them and the blame's it is one byte, which an
/// instruction of two bytes loads.
const LOW_BITS: u32 = 5;

/// A number as it is kept.
const fn packed(code: u16) -> u8 {
    let (blame, low) = (code >> 8, code & 0xff);
    assert!(blame >> (u8::BITS - LOW_BITS) == 0 && low >> LOW_BITS == 0, "see LOW_BITS");
    (blame << LOW_BITS | low) as u8
}

macro_rules! failures {
    ($($(#[$doc:meta])* $code:literal $name:ident $text:literal,)*) => {
        /// Why an update was refused or ended; see the [module](self) for the numbering.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[repr(u8)]
        pub enum Failure { $(#[doc = $text] $(#[$doc])* $name = packed($code),)* }

        impl Failure {
            /// Every failure there is, in the order of their numbers.
            pub const ALL: &'static [Failure] = &[$(Failure::$name,)*];
        }

        /// What [`Failure::text`] says, in the order of [`Failure::ALL`], one behind the other: an address
        /// for each would take as much flash as a third of the words.
        const TEXTS: &str = concat!($($text),*);
        const TEXT_LENS: &[u8] = &[$($text.len() as u8),*];
    };
}

failures! {
    // Job: what the document says.
    0x0101 UnknownJob "no parser knows this job document",
    0x0102 NoSuchKey "a key that marks the format is missing",
    0x0103 BadJson "not well-formed JSON",
    0x0104 BadCbor "not well-formed CBOR",
    0x0105 TooDeep "nested too deeply",
    0x0106 DuplicateKey "a key stands twice",
    0x0107 MissingField "a required field is missing",
    0x0108 WrongType "a field has the wrong type",
    0x0109 BadNumber "a number is out of range",
    0x010a BadText "a text is too long or has characters not allowed",
    0x010b BadEncoding "base64 or hex that does not decode",
    0x010c SizeZero "the image is empty",
    0x010d NoTransport "no transport of this device is offered",
    0x010e NoSuchFile "the job has no such file",
    0x010f WeakSignature "only a signature of a refused kind is offered",
    0x0110 TooLarge "the image is larger than the slot",
    0x0111 NotNewer "the version is not newer than the running one",
    0x0112 OtherBoard "the image is for another board",
    0x0113 Cancelled "the job was cancelled",
    0x0114 RefusedBefore "this very image was refused before",
    0x0115 TooManyFiles "more files than this device takes",
    0x0116 TooBig "the job document is too large",
    // Link: what comes in.
    0x0201 LinkDown "no connection",
    0x0202 MessageTooLong "a message is larger than its buffer",
    0x0203 NoAnswer "no answer in time",
    0x0204 StreamRefused "the provider refused the stream request",
    0x0205 StreamMissing "the provider has no such stream or file",
    0x0206 StreamVersion "the stream has another version",
    0x0207 StreamShort "the stream ends before the image does",
    0x0208 ProviderRefused "the provider refused the report",
    0x0209 BadBlock "a block that does not fit what was asked for",
    0x020a Throttled "the provider asks for patience",
    // Image: what was proved wrong.
    0x0301 Digest "the image does not match its digest",
    0x0302 Signature "a signature does not hold",
    0x0303 NoSignature "a required signature is missing",
    0x0304 NoTrustedKey "no trusted key of the required algorithm",
    0x0305 Format "the image has no valid header or trailer",
    0x0306 SignedOtherBoard "the signed image is for another board",
    0x0307 SignedNotNewer "the signed version is not newer",
    0x0308 Counter "the security counter is lower than the running one",
    0x0309 NoBoard "the signed image names no board",
    // Flash.
    0x0401 Read "flash read failed",
    0x0402 Program "flash program failed",
    0x0403 Erase "flash erase failed",
    0x0404 Bounds "outside the partition",
    0x0405 JournalFull "the journal has no room",
    // Bootloader.
    0x0501 BootState "the bootloader's state cannot be read",
    0x0502 Stage "the image could not be staged",
    0x0503 Confirm "the image could not be confirmed",
    0x0504 Reverted "the bootloader went back to the previous image",
    0x0505 NotBooted "the bootloader did not take the image",
    0x0506 NoTrial "the new image runs, but not on trial",
    // Plugin: what its host found.
    0x0601 NoPlugin "no plugin is loaded here",
    0x0602 PluginMalformed "the plugin is not a valid module",
    0x0603 PluginAbi "the plugin speaks another version of the interface",
    0x0604 PluginKind "the plugin is of another kind",
    0x0605 PluginImport "the plugin imports something",
    0x0606 PluginExport "the plugin lacks an export of the interface",
    0x0607 PluginStart "the plugin has a start function",
    0x0608 PluginTooLarge "the plugin is larger than its host takes",
    0x0609 PluginMemory "the plugin ran out of memory",
    0x060a PluginFuel "the plugin ran out of fuel",
    0x060b PluginStack "the plugin ran out of stack",
    0x060c PluginTrap "the plugin trapped",
    0x060d PluginPanic "the plugin's host panicked",
    0x060e PluginBounds "the plugin points outside its memory",
    0x060f PluginAnswer "the plugin's answer breaks the interface",
    0x0610 PluginRefused "the plugin gives up",
    0x0611 PluginBusy "another plugin is running",
    0x0612 PluginUnhosted "this firmware's allocator hosts no plugins",
    // Device.
    0x0701 SelfTest "the new image failed its self-test",
    0x0702 SelfTestLate "the self-test did not end in time",
    0x0703 Policy "the device's policy refuses this update",
    0x0704 Misconfigured "the pipeline does not fit the device",
    0x0705 TooManyAttempts "too many attempts at this image",
    0x0706 Busy "another update is under way",
}

impl Failure {
    /// The failure in words, at most 60 ASCII characters, none of which JSON escapes.
    pub const fn text(self) -> &'static str {
        let (mut at, mut start) = (0, 0);
        while at < Self::ALL.len() && at < TEXT_LENS.len() {
            let len = TEXT_LENS[at] as usize;
            if Self::ALL[at] as u8 == self as u8 {
                let Some((_, text)) = TEXTS.split_at_checked(start) else { break };
                let Some((text, _)) = text.split_at_checked(len) else { break };
                return text;
            }
            start += len;
            at += 1;
        }
        ""
    }

    /// The failure of that number, where there is one.
    pub const fn from_code(code: u16) -> Option<Failure> {
        let mut at = 0;
        while at < Self::ALL.len() {
            if Self::ALL[at].code() == code {
                return Some(Self::ALL[at]);
            }
            at += 1;
        }
        None
    }

    /// The number: blame in the high byte.
    pub const fn code(self) -> u16 {
        let packed = self as u16;
        packed >> LOW_BITS << 8 | packed & ((1 << LOW_BITS) - 1)
    }

    /// Who has to act on it.
    pub const fn blame(self) -> Blame {
        match self.code() >> 8 {
            0x01 => Blame::Job,
            0x02 => Blame::Link,
            0x03 => Blame::Image,
            0x04 => Blame::Flash,
            0x05 => Blame::Bootloader,
            0x06 => Blame::Plugin,
            _ => Blame::Device,
        }
    }
}
