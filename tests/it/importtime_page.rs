//! The page of `importtime` in a browser: what is shown equals the JSON, whatever is clicked, searched,
//! sorted and printed; and that of `build --timings`, which shares its look.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::sandbox::Sandbox;

const APP: &str = "
//- /app/__init__.py
//- /app/main.py
import json
from app import money
//- /app/money.py
import decimal
try:
    import tea_\u{e9}
except ImportError:
    pass
//- /run.py
import app.main
";

/// As the page writes microseconds.
fn milliseconds(micros: &Value) -> String {
    let hundredths = (micros.as_f64().unwrap() / 10.0).round();
    format!("{:.2}", hundredths / 100.0)
}

fn position(document: &Value, name: &str) -> usize {
    let imports = document["imports"].as_array().unwrap();
    imports.iter().position(|one| one["name"] == name).unwrap()
}

const ROWS: &str = "[...document.querySelectorAll('#module-table tbody tr')].map(row => \
                    [...row.cells].map(cell => cell.textContent))";

#[test]
fn the_page_shows_the_measurement() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    let arguments = [
        "importtime",
        "-n",
        "2",
        "--python",
        "python3",
        "--html",
        "page.html",
        "--format",
        "json",
        "run.py",
    ];
    let output = sandbox.run(&arguments).success();
    let document: Value = serde_json::from_str(&output.stdout).unwrap();
    let Some(mut browser) = Browser::open(&sandbox.path("page.html")) else { return };

    // All that the JSON has is in the page, and the page asks for nothing else.
    let held = browser.value("JSON.parse(document.getElementById('data').textContent)");
    assert_eq!(held, document);
    for way in document["variants"].as_array().unwrap() {
        let selector = format!("tr[data-way={}]", way["id"].as_str().unwrap());
        let shown =
            browser.text(&format!("document.querySelector('{selector}').cells[1].textContent"));
        let tenths = (way["wall"]["median"].as_f64().unwrap() / 100.0).round() / 10.0;
        assert_eq!(shown, format!("{tenths:.1} ms"));
    }

    // In the order of imports, each below its importer.
    let all = document["imports"].as_array().unwrap();
    let rows = browser.value(ROWS);
    assert_eq!(rows.as_array().unwrap().len(), all.len().min(150));
    for (row, import) in rows.as_array().unwrap().iter().zip(all) {
        let text = |at: usize| row[at].as_str().unwrap();
        let name = import["name"].as_str().unwrap();
        assert!(text(5) == name || text(5) == format!("{name}not loaded"), "{row}");
        let figure = |way: usize, key: &str| &import["times"][way][key]["median"];
        for (at, way, key) in
            [(0, 1, "self"), (1, 1, "cumulative"), (2, 4, "self"), (3, 4, "cumulative")]
        {
            let expected = match figure(way, key) {
                Value::Null => "–".to_owned(),
                micros => milliseconds(micros),
            };
            assert_eq!(text(at), expected, "{name}");
        }
    }

    // Sorted by a click, dearest first.
    browser.click("[data-sort=self-none]");
    let dearest = all.iter().max_by_key(|one| one["times"][1]["self"]["median"].as_u64()).unwrap();
    let first = browser.value(&format!("{ROWS}[0]"));
    assert_eq!(first[0], milliseconds(&dearest["times"][1]["self"]["median"]));
    browser.click("[data-sort=order]");

    // Searched for; the chart marks the same.
    browser.click("#search");
    browser.type_text("money");
    let rows = browser.value(ROWS);
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(rows[0][5], "app.money");
    assert_eq!(browser.value("[...found]"), json!([position(&document, "app.money")]));
    browser.value("element('search').value = ''; refine();");

    // Chosen in the chart: its chain, its statements, its times.
    let place = "(() => { const canvas = element('upper'); \
        canvas.scrollIntoView({block: 'center'}); const box = canvas.getBoundingClientRect(); \
        const frame = frames.get(canvas).drawn.find(one => one.it.label === 'app.money'); \
        return [box.left + frame.x + frame.w / 2, box.top + frame.y + 8]; })()";
    let money = browser.value(place);
    browser.click_at(&money, 1);
    assert_eq!(browser.text("element('chosen-name').textContent"), "app.money");
    let chosen = browser.text("element('chosen-box').textContent");
    for part in ["app.main", "app/main.py:2", "unchecked: from its cache", "no cache: compiled"] {
        assert!(chosen.contains(part), "{part}: {chosen}");
    }
    let times = &all[position(&document, "app.money")]["times"][1]["cumulative"];
    assert!(chosen.contains(&milliseconds(&times["median"])), "{chosen}");
    browser.click_at(&money, 2);
    let heading = browser.text("element('upper-title').textContent");
    assert_eq!(
        heading.rsplit(" — ").next().unwrap(),
        format!("app.money: {} ms", milliseconds(&times["median"]))
    );
    browser.click("#out");
    assert!(browser.text("element('upper-title').textContent").contains("app.main: "));
    browser.click("#whole");
    // From the table, too.
    browser.click(&format!("tr[data-import='{}']", position(&document, "app.main")));
    assert_eq!(browser.text("element('chosen-name').textContent"), "app.main");
    // Against another way: the numbers are those of that.
    browser.value(
        "element('against').value = 3; element('against').dispatchEvent(new Event('change'));",
    );
    let shown = browser.value(&format!("{ROWS}[{}]", position(&document, "app.money")));
    let checked = &all[position(&document, "app.money")]["times"][3]["self"]["median"];
    assert_eq!(shown[2], milliseconds(checked));

    looks(&mut browser);
    assert_eq!(browser.faults, [""; 0]);
}

/// Light and dark differ, paper is white and has all rows, nothing is wider than a laptop.
fn looks(browser: &mut Browser) {
    let paper = "getComputedStyle(document.body).backgroundColor";
    browser.prefer("light");
    let light = browser.text(paper);
    browser.prefer("dark");
    assert_ne!(browser.text(paper), light);
    browser.prefer("light");
    let wide = browser.value("document.documentElement.scrollWidth <= innerWidth");
    assert_eq!(wide, Value::Bool(true), "something is wider than the window");
    assert!(browser.print() > 10_000);
}

#[test]
fn the_page_of_timings_shares_the_look() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    sandbox.run(&["build", "--timings=timings.html"]).success();
    let Some(mut browser) = Browser::open(&sandbox.path("timings.html")) else { return };
    assert!(browser.value("document.querySelectorAll('#file-table tbody tr').length") == 4);
    looks(&mut browser);
    assert_eq!(browser.faults, [""; 0]);
}
