//! The page against the document that it was made of, and names that try to break out. What readers see of
//! it is tested in a browser, by the end-to-end suite.

use std::collections::BTreeMap;

use super::*;
use crate::commands::importtime::document::{
    DoctorInfo, Figure, ImportInfo, InterpreterInfo, PlaceInfo, ProgramInfo, SCHEMA, TimesInfo,
    VariantInfo,
};

fn document(title: &str, names: &[&str]) -> Document {
    let figure = Figure { median: 5, least: 1, lower: 3, upper: 7, most: 9 };
    let import = |name: &&str| ImportInfo {
        name: Some((*name).to_owned()),
        parent: None,
        depth: 0,
        phase: "program".to_owned(),
        loaded: true,
        file: Some(format!("/w/{name}.py")),
        origins: vec![Some("cache".to_owned())],
        times: vec![Some(TimesInfo { own: figure, cumulative: figure, runs: 3 })],
        places: vec![PlaceInfo {
            importer: (*name).to_owned(),
            file: format!("/w/{name}"),
            line: 1,
            eager: true,
        }],
    };
    Document {
        schema: SCHEMA.to_owned(),
        version: "1.2.3".to_owned(),
        program: ProgramInfo { title: title.to_owned(), folder: title.to_owned() },
        interpreter: InterpreterInfo {
            executable: "/usr/bin/python3".to_owned(),
            version: "3.14.0".to_owned(),
            cache_tag: "cpython-314".to_owned(),
            optimize: 0,
            options: Vec::new(),
        },
        uncached: "all".to_owned(),
        runs: 3,
        success: false,
        failure: Some("ended with status 1".to_owned()),
        variants: vec![VariantInfo {
            id: "none".to_owned(),
            title: "no cache".to_owned(),
            explanation: "without any cache: every source is compiled".to_owned(),
            wall: Some(Figure { median: 1_949, ..figure }),
            walls: vec![1, 5, 9],
            importing: Some(figure),
            origins: BTreeMap::new(),
            zipped: 0,
            doctor: DoctorInfo::default(),
        }],
        imports: names.iter().map(import).collect(),
        candidates: Vec::new(),
        warnings: names.iter().map(|name| format!("about {name}")).collect(),
    }
}

fn page(document: &Document) -> String {
    let mut out = Vec::new();
    render(document, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What a browser finds in the data element.
fn embedded(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once(r#"<script type="application/json" id="data">"#).unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn names_stay_names() {
    let hostile = [
        "a</script><script>alert(1)</script>",
        "<!--<script>/\"'&amp;\\",
        "{{data}}/{{scripts}}",
        "new\nline\u{1b}[0m",
        "\u{2028}\u{202e}.py",
        "</SCRIPT >/]]>",
    ];
    let document = document("</title><script>{{data}}", &hostile);
    let page = page(&document);
    // One for the data, one for the code.
    assert_eq!(page.to_lowercase().matches("</script").count(), 2);
    assert_eq!(page.matches("<title>").count(), page.matches("</title>").count());
    assert!(!page.contains("<!--"));
    assert_eq!(embedded(&page), serde_json::to_value(&document).unwrap());
}

#[test]
fn a_page_needs_nothing_else() {
    let page = page(&document("tool.py", &[]));
    for sign in ["http:", "https:", "src=", "url(", "import(", "fetch(", "innerHTML", "{{"] {
        assert!(!page.contains(sign), "{sign}");
    }
    let summary = "1.9 ms without any cache; the program ended with status 1";
    assert!(page.contains(summary));
}

/// What is read again is what was written.
#[test]
fn documents_come_back() {
    let document = document("tool.py", &["a", "b.c"]);
    let text = serde_json::to_string(&document).unwrap();
    let again: Document = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_value(&again).unwrap(), serde_json::to_value(&document).unwrap());
}
