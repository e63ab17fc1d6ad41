//! Request topics, taken apart. Replies and pushes are not requests and are no concern of this file.

/// A request below `$aws/things/{thing}/`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Topic<'t> {
    pub(super) thing: &'t str,
    pub(super) operation: Operation<'t>,
}

/// What a request topic asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation<'t> {
    /// `jobs/get`
    Pending,
    /// `jobs/start-next`
    StartNext,
    /// `jobs/{job}/get`, where the job may be `$next`
    DescribeJob(&'t str),
    /// `jobs/{job}/update`
    Update(&'t str),
    /// `jobs/…` that names no operation
    UnknownJob,
    /// `streams/{stream}/describe/{coding}`
    DescribeStream(&'t str, Coding),
    /// `streams/{stream}/get/{coding}`
    GetStream(&'t str, Coding),
}

/// How stream messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Json,
    Cbor,
}

impl Coding {
    /// The last level of the topic.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Cbor => "cbor",
        }
    }
}

/// Takes a topic apart; `None` for what is not a request to the service.
pub(super) fn parse(topic: &str) -> Option<Topic<'_>> {
    let (thing, rest) = topic.strip_prefix("$aws/things/")?.split_once('/')?;
    let levels: Vec<&str> = rest.split('/').collect();
    let operation = match levels[..] {
        ["jobs", .., "accepted" | "rejected"] | ["jobs", "notify" | "notify-next"] => return None,
        ["jobs", "get"] => Operation::Pending,
        ["jobs", "start-next"] => Operation::StartNext,
        ["jobs", job, "get"] => Operation::DescribeJob(job),
        ["jobs", job, "update"] => Operation::Update(job),
        ["jobs", ..] => Operation::UnknownJob,
        ["streams", stream, verb @ ("describe" | "get"), coding] => {
            let coding = match coding {
                "json" => Coding::Json,
                "cbor" => Coding::Cbor,
                _ => return None,
            };
            match verb {
                "get" => Operation::GetStream(stream, coding),
                _ => Operation::DescribeStream(stream, coding),
            }
        }
        _ => return None,
    };
    Some(Topic { thing, operation })
}

/// Where a jobs request is answered; `None` for anything else. Stream replies are to be subscribed.
pub(crate) fn reply_topics(topic: &str) -> Option<[String; 2]> {
    match parse(topic)?.operation {
        Operation::DescribeStream(..) | Operation::GetStream(..) => None,
        _ => Some(["accepted", "rejected"].map(|outcome| format!("{topic}/{outcome}"))),
    }
}

/// What to subscribe to so that every request arrives, those that name no operation included.
pub(crate) const FILTERS: [&str; 5] = [
    "$aws/things/+/jobs/+",
    "$aws/things/+/jobs/+/+",
    "$aws/things/+/streams/+/describe/+",
    "$aws/things/+/streams/+/get/+",
    super::raw_blocks::FILTER,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_known() {
        let cases = [
            ("jobs/get", Operation::Pending),
            ("jobs/start-next", Operation::StartNext),
            ("jobs/$next/get", Operation::DescribeJob("$next")),
            ("jobs/j-1/get", Operation::DescribeJob("j-1")),
            ("jobs/j-1/update", Operation::Update("j-1")),
            ("jobs/j-1/delete", Operation::UnknownJob),
            ("streams/s/describe/json", Operation::DescribeStream("s", Coding::Json)),
            ("streams/s/get/cbor", Operation::GetStream("s", Coding::Cbor)),
        ];
        for (rest, operation) in cases {
            let topic = format!("$aws/things/a:b/{rest}");
            assert_eq!(parse(&topic), Some(Topic { thing: "a:b", operation }), "{topic}");
        }
    }

    #[test]
    fn replies_pushes_and_strangers_are_not_requests() {
        for topic in [
            "$aws/things/a/jobs/get/accepted",
            "$aws/things/a/jobs/j/update/rejected",
            "$aws/things/a/jobs/notify",
            "$aws/things/a/jobs/notify-next",
            "$aws/things/a/streams/s/data/cbor",
            "$aws/things/a/streams/s/get/xml",
            "$aws/things/a/shadow/get",
            "things/a/jobs/get",
        ] {
            assert_eq!(parse(topic), None, "{topic}");
        }
    }
}
