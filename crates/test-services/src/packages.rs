//! The services' jars, fetched once.

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{error::Error, kind::Kind};

/// A folder of packages that all instances share.
#[derive(Debug, Clone)]
pub struct Packages {
    folder: PathBuf,
}

/// Holds the text of the pom that a package was fetched with: another text, another package.
const STAMP: &str = "pom.xml";

impl Packages {
    /// Packages in a folder; fetched when they are first needed.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Those of this checkout: `infra/local/run/packages`, or where `HINDCAST_TEST_PACKAGES` says.
    #[must_use]
    pub fn shared() -> Self {
        match env::var_os("HINDCAST_TEST_PACKAGES") {
            Some(folder) => Self { folder: folder.into() },
            None => Self { folder: run_folder().join("packages") },
        }
    }

    /// Whether nothing has to be fetched for a service.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        fs::read_to_string(self.of(kind).join(STAMP)).is_ok_and(|stamp| stamp == kind.pom())
    }

    /// The folder of a service's jars, fetched by Maven if they are not there.
    ///
    /// # Errors
    /// When Maven is missing or can't get them.
    pub fn get(&self, kind: Kind) -> Result<PathBuf, Error> {
        let package = self.of(kind);
        fs::create_dir_all(&self.folder).map_err(|error| Error::file(&self.folder, &error))?;
        // One at a time, in this process or another; whoever comes second finds it there.
        let lock = self.folder.join("lock");
        let held = File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let _held = held.map_err(|error| Error::file(&lock, &error))?;
        if self.has(kind) {
            return Ok(package);
        }
        let unfinished = self.folder.join(format!("{}.unfinished", kind.name()));
        for old in [&package, &unfinished] {
            if old.exists() {
                fs::remove_dir_all(old).map_err(|error| Error::file(old, &error))?;
            }
        }
        fetch(kind, &unfinished)?;
        fs::rename(&unfinished, &package).map_err(|error| Error::file(&package, &error))?;
        Ok(package)
    }

    fn of(&self, kind: Kind) -> PathBuf {
        self.folder.join(format!("{}-{}", kind.name(), kind.version()))
    }
}

/// Where services of this checkout keep what they need, whatever the folder of its builds.
#[must_use]
pub fn run_folder() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).join("infra/local/run")
}

fn fetch(kind: Kind, folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|error| Error::file(folder, &error))?;
    // Maven wants the file in a folder that it may write to; its own output is what a copy of the pom leaves out.
    let pom = folder.join(STAMP);
    fs::write(&pom, kind.pom()).map_err(|error| Error::file(&pom, &error))?;
    let mut out = folder.as_os_str().to_owned();
    let goal = if kind.is_archive() { "dependency:unpack-dependencies" } else { "dependency:copy-dependencies" };
    if !kind.is_archive() {
        out.push("/libs");
    }
    let mut option = std::ffi::OsString::from("-DoutputDirectory=");
    option.push(out);
    let maven = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(&pom)
        .args([goal, "-DincludeScope=runtime", "-Dmdep.unpack.includes="])
        .arg(option)
        .stdin(Stdio::null())
        .output();
    let output = maven.map_err(|error| {
        Error::new(format!("mvn can't be started: {error}")).with_remedy("on Debian: apt-get install maven")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let said: Vec<_> = said.lines().filter(|line| line.contains("ERROR")).take(5).collect();
    Err(Error::new(format!("Maven can't get {} {}:\n  {}", kind.name(), kind.version(), said.join("\n  ")))
        .with_remedy("fetching needs Maven Central or a mirror of it, named in ~/.m2/settings.xml"))
}
