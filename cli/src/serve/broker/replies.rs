//! Replies reach the client that asked, subscribed or not: so it is with AWS IoT Jobs, and devices
//! rely on it. The embedded broker subscribes such a client to the replies just before its request
//! is routed, and takes that back when the client subscribes itself: nothing comes twice.
//!
//! Other brokers cannot be told to; on those a device subscribes to its replies.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use mqtt5::QoS;
use mqtt5::broker::router::{MessageRouter, SubscriptionRequest};
use mqtt5::broker::{
    BrokerEventHandler, ClientConnectEvent, ClientPublishEvent, ClientSubscribeEvent,
    ClientUnsubscribeEvent, PublishAction,
};
use mqtt5::topic_matches_filter;

use crate::provider::reply_topics;

/// What the broker calls when a client does something.
#[derive(Default)]
pub(super) struct Replies {
    /// There once the broker is made, which wants this first.
    router: OnceLock<Arc<MessageRouter>>,
    book: Mutex<Book>,
}

impl Replies {
    pub(super) fn route_with(&self, router: Arc<MessageRouter>) {
        let _ = self.router.set(router);
    }

    /// A book is whole between two calls, so a panic elsewhere does not spoil it.
    fn book<T>(&self, act: impl FnOnce(&mut Book) -> T) -> T {
        act(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

type Done<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl BrokerEventHandler for Replies {
    fn on_client_connect<'a>(&'a self, event: ClientConnectEvent) -> Done<'a, ()> {
        if event.clean_start {
            self.book(|book| book.forget(&event.client_id));
        }
        Box::pin(async {})
    }

    fn on_client_subscribe<'a>(&'a self, event: ClientSubscribeEvent) -> Done<'a, ()> {
        let filters = event.subscriptions.iter().map(|s| s.topic_filter.to_string());
        let superfluous = self.book(|book| book.subscribed(&event.client_id, filters.collect()));
        Box::pin(async move {
            let Some(router) = self.router.get() else { return };
            for filter in superfluous {
                router.unsubscribe(&event.client_id, &filter, None).await;
            }
        })
    }

    fn on_client_unsubscribe<'a>(&'a self, event: ClientUnsubscribeEvent) -> Done<'a, ()> {
        self.book(|book| book.unsubscribed(&event.client_id, &event.topic_filters));
        Box::pin(async {})
    }

    fn on_client_publish<'a>(&'a self, event: ClientPublishEvent) -> Done<'a, PublishAction> {
        let missing = match reply_topics(&event.topic) {
            Some(replies) => self.book(|book| book.asked(&event.client_id, replies)),
            None => Vec::new(),
        };
        Box::pin(async move {
            if let Some(router) = self.router.get() {
                for topic in missing {
                    let client = event.client_id.as_ref();
                    let request = SubscriptionRequest::new(client, topic, QoS::AtLeastOnce);
                    // Refused only for options that are not used here.
                    let _ = router.subscribe(request).await;
                }
            }
            PublishAction::Continue
        })
    }
}

/// Who subscribed to what, and what was added for them.
#[derive(Debug, Default)]
struct Book(BTreeMap<String, Client>);

#[derive(Debug, Default)]
struct Client {
    own: BTreeSet<String>,
    added: BTreeSet<String>,
}

impl Book {
    fn forget(&mut self, client: &str) {
        self.0.remove(client);
    }

    /// The reply topics this client would not hear of; they are to be added.
    fn asked(&mut self, client: &str, replies: [String; 2]) -> Vec<String> {
        let client = self.0.entry(client.to_owned()).or_default();
        let unheard =
            |topic: &String| !client.own.iter().any(|filter| topic_matches_filter(topic, filter));
        let missing = replies.into_iter().filter(unheard);
        missing.filter(|topic| client.added.insert(topic.clone())).collect()
    }

    /// The added ones its own subscriptions make superfluous; they are to be taken back. One that it
    /// now has itself stays, as its own.
    fn subscribed(&mut self, client: &str, filters: Vec<String>) -> Vec<String> {
        let client = self.0.entry(client.to_owned()).or_default();
        let covered =
            |topic: &&String| filters.iter().any(|filter| topic_matches_filter(topic, filter));
        let covered: Vec<String> = client.added.iter().filter(covered).cloned().collect();
        client.added.retain(|topic| !covered.contains(topic));
        client.own.extend(filters);
        covered.into_iter().filter(|topic| !client.own.contains(topic)).collect()
    }

    fn unsubscribed(&mut self, client: &str, filters: &[Arc<str>]) {
        if let Some(client) = self.0.get_mut(client) {
            client.own.retain(|own| !filters.iter().any(|filter| **filter == **own));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replies() -> [String; 2] {
        reply_topics("$aws/things/a/jobs/j/update").expect("a request")
    }

    #[test]
    fn who_is_not_subscribed_is_added_once() {
        let mut book = Book::default();
        assert_eq!(book.asked("c", replies()), replies());
        assert!(book.asked("c", replies()).is_empty());
        assert_eq!(book.asked("other", replies()), replies());
        book.forget("c");
        assert_eq!(book.asked("c", replies()), replies());
    }

    #[test]
    fn who_is_subscribed_is_left_alone() {
        let mut book = Book::default();
        assert!(book.subscribed("c", vec!["$aws/things/a/jobs/#".to_owned()]).is_empty());
        assert!(book.asked("c", replies()).is_empty());
        book.unsubscribed("c", &["$aws/things/a/jobs/#".into()]);
        assert_eq!(book.asked("c", replies()), replies());
    }

    #[test]
    fn a_later_subscription_takes_over() {
        let mut book = Book::default();
        book.asked("c", replies());
        let filter = "$aws/things/a/jobs/+/update/accepted".to_owned();
        assert_eq!(book.subscribed("c", vec![filter]), replies()[..1]);
        let same = replies()[1].clone();
        assert!(book.subscribed("c", vec![same]).is_empty(), "it replaced the added one");
        assert!(book.asked("c", replies()).is_empty());
    }
}
