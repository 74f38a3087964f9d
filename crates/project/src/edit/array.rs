//! One string more or less in a TOML array, with the comments and the layout of the others kept:
//! a comment behind an element is its own, those above it too. Knows nothing of manifests.

use toml_edit::{Array, RawString, Value};

/// Adds a string at the end, laid out as the last element is.
pub(super) fn push(array: &mut Array, text: &str) {
    let mut value = Value::from(text);
    let trailing = raw(Some(array.trailing()));
    let last = array.len().checked_sub(1).and_then(|last| array.get_mut(last));
    let Some(last) = last else {
        if let Some((comments, closing)) = trailing.rsplit_once('\n') {
            value.decor_mut().set_prefix(format!("{}\n    ", comments.trim_end()));
            array.set_trailing(format!("\n{closing}"));
            array.set_trailing_comma(true);
        } else {
            value.decor_mut().set_prefix(trailing);
        }
        array.push_formatted(value);
        return;
    };
    let prefix = raw(last.decor().prefix());
    // What stands between the last element and the bracket, the comma left out.
    let rest = format!("{}{trailing}", raw(last.decor().suffix()));
    if prefix.contains('\n') || rest.contains('\n') {
        let indent = prefix.rsplit_once('\n').map_or("    ", |(_, indent)| indent);
        let (comments, closing) = rest.rsplit_once('\n').unwrap_or((rest.as_str(), ""));
        value.decor_mut().set_prefix(format!("{}\n{indent}", comments.trim_end()));
        last.decor_mut().set_suffix("");
        array.set_trailing(format!("\n{closing}"));
    } else {
        value.decor_mut().set_prefix(" ");
        last.decor_mut().set_suffix("");
        array.set_trailing(rest);
    }
    array.push_formatted(value);
}

/// Removes one element with its comments.
pub(super) fn remove(array: &mut Array, index: usize) {
    if index >= array.len() {
        return;
    }
    let removed = array.remove(index);
    let prefix = raw(removed.decor().prefix());
    // Up to the end of its line, what stands before an element is about the one before it.
    let kept = prefix.split_once('\n').map(|(kept, _)| kept);
    let follow = |text: &str| match (text.split_once('\n'), kept) {
        (Some((_, rest)), Some(kept)) => format!("{kept}\n{rest}"),
        (Some(_), None) => text.to_owned(),
        (None, Some(kept)) => format!("{kept}{}", prefix.get(kept.len()..).unwrap_or_default()),
        (None, None) => prefix.clone(),
    };
    if let Some(next) = array.get_mut(index) {
        let text = follow(&raw(next.decor().prefix()));
        next.decor_mut().set_prefix(text);
        return;
    }
    let rest = format!("{}{}", raw(removed.decor().suffix()), raw(Some(array.trailing())));
    let text = if rest.contains('\n') { follow(&rest) } else { rest };
    array.set_trailing(text);
    if array.is_empty() {
        array.set_trailing_comma(false);
    }
}

fn raw(text: Option<&RawString>) -> String {
    text.and_then(RawString::as_str).unwrap_or_default().to_owned()
}
