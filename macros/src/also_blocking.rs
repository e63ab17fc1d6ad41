//! `#[also_blocking]`: beside each `async` function, the same one without.
//!
//! Works on tokens: `async` goes, and `f(…).await` becomes `f_blocking(…)`, so that what awaits a twin calls a
//! twin, down to the calls of flash, link and clock, whose `_blocking` polls one future to its end. What cannot
//! be told so is a compile error; what a function means is never looked at.
//!
//! | stands there | is added |
//! |---|---|
//! | `async fn f(…) -> T { … }` | `fn f_blocking(…) -> T { … }` |
//! | `fn f(…) -> impl Future<Output = T> { g(…) }` | `fn f_blocking(…) -> T { g_blocking(…) }` |
//! | `async fn f(&mut self, a: A) -> T;` | `fn f_blocking(&mut self, a: A) -> T { block_on(self.f(a)) }` |

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};

type Tokens = Vec<TokenTree>;

/// What stands at the place of a mistake, and what it is.
type Result<T> = std::result::Result<T, (Span, &'static str)>;

/// The item, a function, `impl` or `trait`, with the twins of its functions.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    match with_twins(item.clone()) {
        Ok(all) => all,
        Err((span, what)) => {
            let error = quote_spanned!(span => ::core::compile_error!(#what););
            quote!(#item #error)
        }
    }
}

fn with_twins(item: TokenStream) -> Result<TokenStream> {
    let tokens: Tokens = item.clone().into_iter().collect();
    let kind = tokens.iter().find(|token| is_any(token, &["fn", "impl", "trait"]));
    if kind.is_some_and(|kind| is(kind, "fn")) {
        let twin = twin(&tokens, "")?;
        let own = own(&tokens, &twin);
        return Ok(quote!(#(#own)* #twin));
    }
    let Some((TokenTree::Group(members), head)) = tokens.split_last() else {
        return Err((Span::call_site(), "`also_blocking` is for functions, `impl`s and traits"));
    };
    let mut all = TokenStream::new();
    let mut twins = TokenStream::new();
    let mut member = Tokens::new();
    for token in members.stream() {
        let last = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => {
                group.delimiter() == Delimiter::Brace && member.iter().any(|part| is(part, "fn"))
            }
            _ => false,
        };
        member.push(token);
        if last {
            let twin = twin(&member, "Self::")?;
            all.extend(own(&member, &twin));
            twins.extend(twin);
            member.clear();
        }
    }
    all.extend(member);
    all.extend(twins);
    let mut whole = Group::new(members.delimiter(), all);
    whole.set_span(members.span());
    Ok(head.iter().cloned().chain([whole.into()]).collect())
}

/// A member itself. Where it has a twin, how that is inlined is said of the twin alone: what an `async` function
/// returns is a state machine of kilobytes, which would be made on the stack and then moved.
fn own(member: &[TokenTree], twin: &TokenStream) -> Tokens {
    match twin.is_empty() {
        true => member.to_vec(),
        false => without(member, "inline"),
    }
}

/// The tokens but for attributes of that name.
fn without(tokens: &[TokenTree], attribute: &str) -> Tokens {
    let mut kept = Tokens::new();
    for token in tokens {
        let is_it = matches!(token, TokenTree::Group(group)
            if group.stream().to_string().starts_with(attribute));
        match is_it && is_group(token, Delimiter::Bracket) {
            true => _ = kept.pop(), // the `#`
            false => kept.push(token.clone()),
        }
    }
    kept
}

/// The twin of a function, or nothing for what is not `async`.
fn twin(member: &[TokenTree], place: &str) -> Result<TokenStream> {
    let Some(at) = member.iter().position(|token| is(token, "fn")) else { return Ok(quote!()) };
    let (head, [_, TokenTree::Ident(name), behind @ ..]) = member.split_at(at) else {
        return Ok(quote!());
    };
    let args = behind.iter().scan((0, false), |depth, token| Some((angles(depth, token), token)));
    let mut args = args.map(|(depth, token)| depth == 0 && is_group(token, Delimiter::Parenthesis));
    let Some((signature, tail)) =
        args.position(|is_args| is_args).map(|at| behind.split_at(at + 1))
    else {
        return Ok(quote!());
    };
    let Some((end, output)) = tail.split_last() else { return Ok(quote!()) };
    let is_async = head.iter().any(|token| is(token, "async"));
    let (output, hands_on) = match output {
        [dash, arrow, word, future, _, _, _, of @ .., _]
            if is(word, "impl") && is(future, "Future") =>
        {
            ([&[dash.clone(), arrow.clone()], of].concat(), true)
        }
        output => (output.to_vec(), false),
    };
    if !is_async && !hands_on {
        return Ok(quote!());
    }
    let body = match end {
        TokenTree::Group(body) => {
            let mut body = blocking(body.stream())?;
            if hands_on {
                rename_call(&mut body, name.span())?;
            }
            body.into_iter().collect()
        }
        _ => {
            let names = signature.last().map(names_of).unwrap_or_default();
            quote!(crate::blocking::block_on(self.#name(#(#names),*)))
        }
    };
    let head = without_docs_and_async(head);
    let twin = suffixed(name);
    let doc = format!(
        " [`{name}`]({place}{name}) without `async`: each call of flash, link and clock is polled to its end where it stands."
    );
    let (signature, output) = (signature.iter(), output.iter());
    Ok(quote!(#[doc = #doc] #(#head)* fn #twin #(#signature)* #(#output)* { #body }))
}

/// Tokens of a body, no call in them awaited.
fn blocking(body: TokenStream) -> Result<Tokens> {
    let mut out = Tokens::new();
    for token in body {
        match token {
            TokenTree::Group(group) => {
                let inner: TokenStream = blocking(group.stream())?.into_iter().collect();
                let mut blocking = Group::new(group.delimiter(), inner);
                blocking.set_span(group.span());
                out.push(blocking.into());
            }
            token if is(&token, "await") => {
                out.pop(); // the dot
                rename_call(&mut out, token.span())?;
            }
            token if is(&token, "async") => {
                return Err((token.span(), "an `async` block has no name for its twin"));
            }
            token => out.push(token),
        }
    }
    Ok(out)
}

/// Makes the call that ends `tokens` one of the function's twin.
fn rename_call(tokens: &mut Tokens, span: Span) -> Result<()> {
    match tokens.as_mut_slice() {
        [.., TokenTree::Ident(name), args] if is_group(args, Delimiter::Parenthesis) => {
            *name = suffixed(name);
            Ok(())
        }
        _ => Err((span, "only a call by name has a twin: `f(…).await`")),
    }
}

fn suffixed(name: &Ident) -> Ident {
    let mut twin = format_ident!("{name}_blocking");
    twin.set_span(name.span());
    twin
}

/// Names of the arguments in `(&mut self, flash: &mut F)`.
fn names_of(args: &TokenTree) -> Vec<Ident> {
    let TokenTree::Group(args) = args else { return Vec::new() };
    let args: Tokens = args.stream().into_iter().collect();
    let named = args.windows(3).filter_map(|three| match three {
        [TokenTree::Punct(comma), TokenTree::Ident(name), TokenTree::Punct(colon)]
            if comma.as_char() == ',' && colon.as_char() == ':' =>
        {
            Some(name.clone())
        }
        _ => None,
    });
    named.collect()
}

/// What stands before `fn`: its own words on itself stay with the first of the two.
fn without_docs_and_async(head: &[TokenTree]) -> Tokens {
    let mut kept = without(head, "doc");
    kept.retain(|token| !is(token, "async"));
    kept
}

/// How many `<` are open behind this token; the `>` of an arrow closes none.
fn angles(depth: &mut (i32, bool), token: &TokenTree) -> i32 {
    let (open, after_dash) = *depth;
    let punct = match token {
        TokenTree::Punct(punct) => punct.as_char(),
        _ => ' ',
    };
    let open = match punct {
        '<' => open + 1,
        '>' if !after_dash => open - 1,
        _ => open,
    };
    *depth = (open, punct == '-');
    open
}

fn is(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn is_any(token: &TokenTree, words: &[&str]) -> bool {
    words.iter().any(|word| is(token, word))
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

#[cfg(test)]
mod tests {
    use super::expand;

    fn becomes(from: &str, to: &str) {
        let tokens = |text: &str| text.parse::<proc_macro2::TokenStream>().expect("tokens");
        let mut made = expand(tokens(from)).to_string();
        // What its documentation says is for readers.
        while let Some(at) = made.find("# [doc = \" [`") {
            let end = made[at..].find(']').and_then(|_| made[at..].find("stands.\"]"));
            made.replace_range(at..at + end.expect("its end") + "stands.\"]".len(), "");
        }
        let squeeze = |text: String| text.split_whitespace().collect::<String>();
        assert_eq!(squeeze(made), squeeze(tokens(to).to_string()));
    }

    #[test]
    fn a_function_calls_the_twins_of_what_it_awaited() {
        let f = "pub async fn f<F: Fn(u8) -> bool>(a: F) -> R { x::g(a).await?; h(k(1).await) }";
        let twin = "pub fn f_blocking<F: Fn(u8) -> bool>(a: F) -> R { x::g_blocking(a)?; h(k_blocking(1)) }";
        becomes(f, &format!("{f} {twin}"));
    }

    #[test]
    fn members_that_are_not_async_have_none() {
        let members = "const N: usize = 1; type T = u8; fn g(&self) -> u8 { 1 }
            #[inline] async fn f(&mut self) { self.g(); self.f().await }";
        let twin = "#[inline] fn f_blocking(&mut self) { self.g(); self.f_blocking() }";
        let own = members.replace("#[inline] ", "");
        becomes(
            &format!("impl A for B {{ {members} }}"),
            &format!("impl A for B {{ {own} {twin} }}"),
        );
    }

    #[test]
    fn what_hands_on_a_future_hands_on_its_output() {
        let f = "fn f(&self) -> impl Future<Output = Result<u8, E>> { self.g(1) }";
        let twin = "fn f_blocking(&self) -> Result<u8, E> { self.g_blocking(1) }";
        becomes(f, &format!("{f} {twin}"));
    }

    #[test]
    fn a_method_without_body_is_polled() {
        let f = "async fn f<F: N>(&mut self, flash: &mut F, at: [u8; 2]) -> R;";
        let twin = "fn f_blocking<F: N>(&mut self, flash: &mut F, at: [u8; 2]) -> R {
            crate::blocking::block_on(self.f(flash, at)) }";
        becomes(&format!("trait T {{ {f} }}"), &format!("trait T {{ {f} {twin} }}"));
    }

    #[test]
    fn what_has_no_name_is_an_error() {
        for f in ["async fn f() { later.await }", "async fn f() { g(async { 1 }).await }"] {
            let made = expand(f.parse().expect("tokens")).to_string();
            assert!(made.contains("compile_error"), "{made}");
        }
    }
}
