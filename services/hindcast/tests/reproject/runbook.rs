//! The runbook, followed to the letter.

use std::{path::Path, time::Duration};

use hindcast_fold::generation::GenerationSet;
use hindcast_views::{
    TableName, ViewStore,
    embedded::{EmbeddedViews, EmbeddedViewsConfig},
};
use rand::{SeedableRng, rngs::StdRng};

use crate::{
    clients::{history, keys},
    support::{
        Http, Server,
        reproject::{done, step},
        runtime,
    },
};

/// The runbook's commands, as they stand there, one after the other.
#[test]
fn the_runbook_can_be_followed() {
    let runbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks/reproject.md");
    let runbook = std::fs::read_to_string(runbook).unwrap();
    let commands: Vec<&str> =
        runbook.lines().filter_map(|line| line.trim().strip_prefix("hindcast reproject ")).collect();
    let steps: Vec<&str> = commands.iter().map(|command| command.split(' ').next().unwrap()).collect();
    assert_eq!(steps, ["plan", "build", "verify", "cutover", "rollback", "drop"], "{commands:?}");

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let report = folder.path().join("report.html");
    let dropped = runtime().block_on(async {
        let server = Server::start(&data);
        let http = Http::new(&server.url);
        let keys = keys(&http, "moved").await;
        history(&http, &keys, 8, &mut StdRng::seed_from_u64(3)).await;
        http.caught_up().await;
        let mut name = String::new();
        for command in commands {
            let command = command.replace("NAME", &name).replace("report.html", report.to_str().unwrap());
            let arguments = words(&command);
            let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            if arguments[0] == "drop" {
                // Nobody is there to be asked.
                arguments.push("--yes");
                let early = step(&server.url, &arguments).await;
                assert!(early.code == 1 && early.stderr.contains("drop it in"), "{early:?}");
                tokio::time::sleep(Duration::from_secs(61)).await;
            }
            let answer = done(&server.url, &arguments).await;
            match arguments[0] {
                "plan" => name = answer["name"].as_str().unwrap().to_owned(),
                "verify" => assert!(std::fs::read_to_string(&report).unwrap().contains("within tolerance")),
                "cutover" => assert_eq!(answer["stage"], "active"),
                "rollback" => assert_eq!(answer["name"], GenerationSet::default().fingerprint().as_str()),
                "drop" => assert_eq!(answer["stage"], "dropped"),
                _ => {}
            }
        }
        // Everything has stopped writing to the tables; they are removed a moment later.
        tokio::time::sleep(Duration::from_secs(8)).await;
        let sets = done(&server.url, &["status"]).await;
        let dropped = sets["reprojections"].as_array().unwrap().iter().find(|set| set["name"] == *name).unwrap();
        let tables = dropped["tables"].as_array().unwrap().iter().map(|table| table.as_str().unwrap().to_owned());
        let tables: Vec<String> = tables.collect();
        server.stop();
        tables
    });
    let views = EmbeddedViews::open(&data.join("views"), &EmbeddedViewsConfig::default()).unwrap();
    runtime().block_on(async {
        for table in dropped {
            let table = TableName(table.into());
            assert!(views.scan(&table, None, 1).await.unwrap().is_empty(), "{table:?}");
            assert_eq!(views.progress(&table, 0).await.unwrap(), None);
        }
    });
}

/// Words of a command line; what stands in quotes is one.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in command.split('"').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
