//! What the big tree is made of, beside django, sympy and ansible: a monorepo's worth of distributions in
//! one folder, as the import graph's goals were stated on. Knows nothing of what is measured.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::shell;

/// Versions are those of a day, so that the tree stays the same.
const DAY: &str = "2026-11-20";

/// Those of azure are older: until then they had the modules of each version of their service, which makes
/// most of the bytes of the tree.
const DAY_OF_AZURE: &str = "2023-01-01";

/// Named by the goal, or taken to come near to its number of sources, folders and bytes.
const NAMED: &[&str] = &[
    "ansible-core",
    "boto3",
    "botocore",
    "google-ads",
    "homeassistant",
    "kubernetes",
    "msgraph-beta-sdk",
    "pyyaml",
    "transformers",
];

/// Has no wheel.
const SALT: &str = "salt==3008.5";

/// The providers that are downloaded most often, and what they are for.
const AIRFLOW: &[&str] = &[
    "apache-airflow",
    "apache-airflow-core",
    "apache-airflow-providers-airbyte",
    "apache-airflow-providers-amazon",
    "apache-airflow-providers-apache-impala",
    "apache-airflow-providers-apache-kafka",
    "apache-airflow-providers-celery",
    "apache-airflow-providers-cncf-kubernetes",
    "apache-airflow-providers-common-compat",
    "apache-airflow-providers-common-io",
    "apache-airflow-providers-common-sql",
    "apache-airflow-providers-databricks",
    "apache-airflow-providers-datadog",
    "apache-airflow-providers-dbt-cloud",
    "apache-airflow-providers-docker",
    "apache-airflow-providers-fab",
    "apache-airflow-providers-ftp",
    "apache-airflow-providers-google",
    "apache-airflow-providers-http",
    "apache-airflow-providers-imap",
    "apache-airflow-providers-jdbc",
    "apache-airflow-providers-microsoft-azure",
    "apache-airflow-providers-microsoft-mssql",
    "apache-airflow-providers-mongo",
    "apache-airflow-providers-mysql",
    "apache-airflow-providers-odbc",
    "apache-airflow-providers-openlineage",
    "apache-airflow-providers-oracle",
    "apache-airflow-providers-pagerduty",
    "apache-airflow-providers-postgres",
    "apache-airflow-providers-sftp",
    "apache-airflow-providers-slack",
    "apache-airflow-providers-smtp",
    "apache-airflow-providers-snowflake",
    "apache-airflow-providers-sqlite",
    "apache-airflow-providers-ssh",
    "apache-airflow-providers-standard",
    "apache-airflow-task-sdk",
];

/// Those that are downloaded most often, of what there was on the day.
const AZURE: &[&str] = &[
    "azure-mgmt-advisor",
    "azure-mgmt-apimanagement",
    "azure-mgmt-appconfiguration",
    "azure-mgmt-appcontainers",
    "azure-mgmt-applicationinsights",
    "azure-mgmt-appplatform",
    "azure-mgmt-authorization",
    "azure-mgmt-automation",
    "azure-mgmt-batch",
    "azure-mgmt-batchai",
    "azure-mgmt-billing",
    "azure-mgmt-botservice",
    "azure-mgmt-cdn",
    "azure-mgmt-cognitiveservices",
    "azure-mgmt-commerce",
    "azure-mgmt-compute",
    "azure-mgmt-consumption",
    "azure-mgmt-containerinstance",
    "azure-mgmt-containerregistry",
    "azure-mgmt-containerservice",
    "azure-mgmt-core",
    "azure-mgmt-cosmosdb",
    "azure-mgmt-costmanagement",
    "azure-mgmt-databoxedge",
    "azure-mgmt-databricks",
    "azure-mgmt-datafactory",
    "azure-mgmt-datalake-analytics",
    "azure-mgmt-datalake-store",
    "azure-mgmt-datamigration",
    "azure-mgmt-dataprotection",
    "azure-mgmt-desktopvirtualization",
    "azure-mgmt-devspaces",
    "azure-mgmt-devtestlabs",
    "azure-mgmt-dns",
    "azure-mgmt-eventgrid",
    "azure-mgmt-eventhub",
    "azure-mgmt-extendedlocation",
    "azure-mgmt-frontdoor",
    "azure-mgmt-hanaonazure",
    "azure-mgmt-hdinsight",
    "azure-mgmt-hybridcompute",
    "azure-mgmt-imagebuilder",
    "azure-mgmt-iotcentral",
    "azure-mgmt-iothub",
    "azure-mgmt-iothubprovisioningservices",
    "azure-mgmt-keyvault",
    "azure-mgmt-kubernetesconfiguration",
    "azure-mgmt-kusto",
    "azure-mgmt-loganalytics",
    "azure-mgmt-logic",
    "azure-mgmt-machinelearningcompute",
    "azure-mgmt-machinelearningservices",
    "azure-mgmt-managedservices",
    "azure-mgmt-managementgroups",
    "azure-mgmt-managementpartner",
    "azure-mgmt-maps",
    "azure-mgmt-marketplaceordering",
    "azure-mgmt-media",
    "azure-mgmt-monitor",
    "azure-mgmt-msi",
    "azure-mgmt-netapp",
    "azure-mgmt-network",
    "azure-mgmt-notificationhubs",
    "azure-mgmt-policyinsights",
    "azure-mgmt-powerbiembedded",
    "azure-mgmt-privatedns",
    "azure-mgmt-quota",
    "azure-mgmt-rdbms",
    "azure-mgmt-recoveryservices",
    "azure-mgmt-recoveryservicesbackup",
    "azure-mgmt-redhatopenshift",
    "azure-mgmt-redis",
    "azure-mgmt-redisenterprise",
    "azure-mgmt-relay",
    "azure-mgmt-reservations",
    "azure-mgmt-resource",
    "azure-mgmt-resourcegraph",
    "azure-mgmt-resourcehealth",
    "azure-mgmt-scheduler",
    "azure-mgmt-search",
    "azure-mgmt-security",
    "azure-mgmt-securityinsight",
    "azure-mgmt-servicebus",
    "azure-mgmt-servicefabric",
    "azure-mgmt-servicefabricmanagedclusters",
    "azure-mgmt-servicelinker",
    "azure-mgmt-signalr",
    "azure-mgmt-sql",
    "azure-mgmt-sqlvirtualmachine",
    "azure-mgmt-storage",
    "azure-mgmt-streamanalytics",
    "azure-mgmt-subscription",
    "azure-mgmt-synapse",
    "azure-mgmt-trafficmanager",
    "azure-mgmt-web",
];

/// How many there are.
pub(super) fn count() -> usize {
    NAMED.len() + AIRFLOW.len() + AZURE.len() + 1
}

/// Downloads and unpacks all of them into one folder.
pub(super) fn fetch(uv: &Path, python: &Path, folder: &Path) -> Result<()> {
    eprintln!("fetching {} distributions", count());
    for (names, day) in [(&[NAMED, AIRFLOW].concat()[..], DAY), (AZURE, DAY_OF_AZURE)] {
        let mut install = Command::new(uv);
        install.args(["pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]);
        // Some are for newer interpreters only; nothing of them is run.
        install.args(["--python-version", "3.14", "--python"]).arg(python);
        install.args(["--exclude-newer", day, "--target"]).arg(folder);
        shell::run(install.args(names))?;
    }
    salt(python, folder)
}

/// The package of an archive of sources.
fn salt(python: &Path, folder: &Path) -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut download = Command::new(python);
    download.args(["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "salt", SALT]);
    shell::run(download.arg("--dest").arg(place.path()))?;
    let mut found = 0;
    for entry in fs::read_dir(place.path())? {
        let mut unpack = Command::new(python);
        unpack.args(["-m", "tarfile", "-e"]).arg(entry?.path()).arg(place.path());
        shell::run(&mut unpack)?;
    }
    for entry in fs::read_dir(place.path())? {
        let package = entry?.path().join("salt");
        if package.is_dir() {
            super::contender::copy_tree(&package, &folder.join("salt"))?;
            found += 1;
        }
    }
    ensure!(found == 1, "the archive of salt has {found} folders `salt`");
    Ok(())
}
