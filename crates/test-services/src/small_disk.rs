//! A small file system of a test's own, to be filled up.
//!
//! Root mounts one. Who is not root gets one in a user namespace, in which the test runs itself once more.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

use crate::error::Error;

/// Set in the test that runs in a namespace, so that it does not try for another one.
const IN_NAMESPACE: &str = "HINDCAST_TEST_IN_NAMESPACE";

/// Runs a test in a file system of so many mebibytes. `name` is the test's, as the test binary lists it.
///
/// # Errors
/// When there is none to be had, with what to do about it; or when the test failed in its namespace.
pub fn on_small_disk(name: &str, mebibytes: u32, test: impl FnOnce(&Path)) -> Result<(), Error> {
    if let Some(disk) = SmallDisk::mount(name, mebibytes)? {
        test(&disk.0);
        return Ok(());
    }
    let none = |why: String| {
        Error::new(why).with_remedy("run the tests as root, or allow user namespaces (unshare -Urm has to work)")
    };
    if env::var_os(IN_NAMESPACE).is_some() {
        return Err(none("no small disk can be mounted in a user namespace".to_owned()));
    }
    let own = env::current_exe().map_err(|error| Error::new(error.to_string()))?;
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(own)
        .args(["--exact", name, "--nocapture"])
        .env(IN_NAMESPACE, "1")
        .status()
        .map_err(|error| none(format!("no small disk can be mounted, and unshare can't be run: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(none(format!("{name} failed in a user namespace, see above; if the namespace was refused")))
}

/// Unmounted and removed when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(name: &str, mebibytes: u32) -> Result<Option<Self>, Error> {
        let folder = env::temp_dir().join(format!("{}-{}", name.replace(':', "_"), process::id()));
        fs::create_dir_all(&folder).map_err(|error| Error::file(&folder, &error))?;
        let disk = Self(folder);
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&disk.0).output();
        Ok(mounted.is_ok_and(|output| output.status.success()).then_some(disk))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Not mounted where that was refused; then only the folder is there.
        let _ = Command::new("umount").arg(&self.0).output();
        let _ = fs::remove_dir(&self.0);
    }
}
