use super::*;

fn refused(dir: &Path, kind: &str, version: u32) -> String {
    open(dir, kind, version).expect_err("must be refused").to_string()
}

#[test]
fn a_new_folder_is_made_and_opened_again() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("a/b");
    assert_eq!(open(&dir, "log", 1).unwrap().version(), 1);
    let again = open(&dir, "log", 2).unwrap();
    assert_eq!((again.version(), again.path()), (1, dir.as_path()), "an older format is the caller's to judge");
}

#[test]
fn one_owner_at_a_time() {
    let temp = tempfile::tempdir().unwrap();
    let first = open(temp.path(), "log", 1).unwrap();
    let line = refused(temp.path(), "log", 1);
    assert!(line.contains("in use by another process"), "{line}");
    drop(first);
    open(temp.path(), "log", 1).unwrap();
}

#[test]
fn another_kind_and_a_newer_version_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    drop(open(temp.path(), "log", 7).unwrap());
    assert!(refused(temp.path(), "views", 7).contains("holds log, not views"));
    let line = refused(temp.path(), "log", 6);
    assert!(line.contains("format 7, this one reads up to 6"), "{line}");
}

#[test]
fn a_foreign_folder_is_refused_and_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("photo.jpg"), b"x").unwrap();
    let line = refused(temp.path(), "log", 1);
    assert!(line.contains("photo.jpg") && !line.contains('\n'), "{line}");
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
}

#[test]
fn an_interrupted_creation_is_finished() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join(LOCK), b"").unwrap();
    fs::write(temp.path().join(marker::UNFINISHED), b"{\"ki").unwrap();
    drop(open(temp.path(), "log", 1).unwrap());
    open(temp.path(), "log", 1).unwrap();
}

#[test]
fn a_damaged_marker_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join(marker::MARKER), b"{").unwrap();
    assert!(refused(temp.path(), "log", 1).contains("can't be understood"));
}

#[test]
fn a_file_in_the_way_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs::write(&file, b"").unwrap();
    assert!(refused(&file, "log", 1).contains("can't be used as a data folder"));
    assert!(refused(&file.join("below"), "log", 1).contains("can't be used as a data folder"));
}

#[test]
fn a_part_is_made_whole_or_not_at_all() {
    let temp = tempfile::tempdir().unwrap();
    let folder = open(temp.path(), "log", 1).unwrap();
    let write = |dir: &Path, content: &str| {
        fs::create_dir(dir).unwrap();
        fs::write(dir.join("file"), content).unwrap();
    };
    let failed = folder.part("part", |dir| {
        write(dir, "half");
        Err(FolderError::failed(dir, io::Error::other("interrupted")))
    });
    assert!(failed.is_err() && !temp.path().join("part").exists());
    for content in ["first", "second"] {
        let part = folder
            .part("part", |dir| {
                write(dir, content);
                Ok::<_, FolderError>(())
            })
            .unwrap();
        assert_eq!(fs::read_to_string(part.join("file")).unwrap(), "first");
    }
}
