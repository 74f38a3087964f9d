//! Twenty programs of the package index, and how their users start them. What they need is pinned in
//! `constraints.txt`, which `uv pip compile` made of their names. Knows nothing of graphs.

/// A program and its start.
pub(crate) struct Program {
    /// For the table, and its folder.
    pub(crate) name: &'static str,
    /// What is installed.
    pub(crate) requirements: &'static [&'static str],
    /// Run once in the program's folder, after `python`.
    pub(crate) setup: &'static [&'static str],
    /// The entry: what the installer writes into `bin/`, or the first lines of a user's program.
    pub(crate) entry: &'static str,
    /// What the installer's script calls then.
    pub(crate) call: Option<&'static str>,
    /// After the entry, on the command line.
    pub(crate) arguments: &'static [&'static str],
    /// Also into the environment.
    pub(crate) environment: &'static [(&'static str, &'static str)],
}

/// The exact versions of everything.
pub(crate) const CONSTRAINTS: &str = include_str!("constraints.txt");

/// By name.
pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        requirements: &["ansible-core"],
        ..command("ansible", "from ansible.cli.adhoc import main", "main()", &["--version"])
    },
    command("black", "from black import patched_main", "patched_main()", &["--version"]),
    Program {
        requirements: &["boto3"],
        ..script(
            "boto3",
            "import boto3\n\nprint(boto3.client(\"s3\", region_name=\"eu-west-1\").meta.endpoint_url)\n",
        )
    },
    command("celery", "from celery.__main__ import main", "main()", &["--version"]),
    Program {
        setup: &["-m", "django", "startproject", "project", "."],
        environment: &[("DJANGO_SETTINGS_MODULE", "project.settings")],
        ..command(
            "django",
            "from django.core.management import execute_from_command_line",
            "execute_from_command_line()",
            &["check"],
        )
    },
    Program {
        requirements: &["fastapi", "uvicorn"],
        ..script(
            "fastapi",
            "import uvicorn\nfrom fastapi import FastAPI\nfrom pydantic import BaseModel\n\n\n\
             class Item(BaseModel):\n    name: str\n\n\napp = FastAPI()\n\n\n\
             @app.post(\"/\")\ndef create(item: Item) -> Item:\n    return item\n\n\n\
             print(app.openapi()[\"paths\"], uvicorn.Config(app).port)\n",
        )
    },
    command("flask", "from flask.cli import main", "main()", &["--version"]),
    Program {
        requirements: &["httpx[cli]"],
        ..command("httpx", "from httpx import main", "main()", &["--help"])
    },
    command("mypy", "from mypy.__main__ import console_entry", "console_entry()", &["--version"]),
    script("pandas", "import pandas\n\nprint(pandas.DataFrame({\"a\": [1, 2]}).describe())\n"),
    command("pip", "from pip._internal.cli.main import main", "main()", &["--version"]),
    command("pytest", "from pytest import console_main", "console_main()", &["--version"]),
    script("requests", "from requests import help\n\nhelp.main()\n"),
    script(
        "rich",
        "from rich.console import Console\nfrom rich.table import Table\n\n\
         table = Table(\"a\", \"b\")\ntable.add_row(\"1\", \"2\")\nConsole().print(table)\n",
    ),
    command("scrapy", "from scrapy.cmdline import execute", "execute()", &["version"]),
    command("sphinx", "from sphinx.cmd.build import main", "main()", &["--version"]),
    script(
        "sqlalchemy",
        "from sqlalchemy import create_engine, text\nfrom sqlalchemy.orm import Session\n\n\
         with Session(create_engine(\"sqlite://\")) as session:\n    \
         print(session.execute(text(\"select 1\")).scalar())\n",
    ),
    command("tox", "from tox.run import run", "run()", &["--version"]),
    script("trio", "import trio\n\ntrio.run(trio.sleep, 0)\n"),
    command("twine", "from twine.__main__ import main", "main()", &["--version"]),
];

impl Program {
    /// The text of the entry.
    pub(crate) fn main(&self) -> String {
        match self.call {
            Some(call) => format!("import sys\n\n{}\n\nsys.exit({call})\n", self.entry),
            None => self.entry.to_owned(),
        }
    }

    /// What is asked of the installer.
    pub(crate) fn requirements(&self) -> Vec<&'static str> {
        if self.requirements.is_empty() { vec![self.name] } else { self.requirements.to_vec() }
    }
}

const fn script(name: &'static str, entry: &'static str) -> Program {
    Program {
        name,
        requirements: &[],
        setup: &[],
        entry,
        call: None,
        arguments: &[],
        environment: &[],
    }
}

/// As installers write them: the import is all that counts.
const fn command(
    name: &'static str,
    import: &'static str,
    call: &'static str,
    arguments: &'static [&'static str],
) -> Program {
    Program {
        name,
        requirements: &[],
        setup: &[],
        entry: import,
        call: Some(call),
        arguments,
        environment: &[],
    }
}
