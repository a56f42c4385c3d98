//! The file system that SQLite sees in this process: the default one, with a [`Watch`] between for
//! every file below a watched folder. Files elsewhere are the default one's own and pass no code here.

use std::cell::Cell;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use rusqlite::ffi;

use crate::record::{Call, Watch, watching};

/// The default file system, found before ours took its place.
struct Real(*mut ffi::sqlite3_vfs);

// SAFETY: SQLite's own file systems are tables that are never changed, good for every thread.
unsafe impl Send for Real {}
unsafe impl Sync for Real {}

static REAL: OnceLock<Real> = OnceLock::new();

type OpenFolder = unsafe extern "C" fn(*const c_char, *mut c_int) -> c_int;

static OPEN_FOLDER: OnceLock<OpenFolder> = OnceLock::new();

thread_local! {
    /// Whether the default file system has opened a folder in the running call: it does so only to
    /// sync it, and nothing else tells.
    static FOLDER: Cell<bool> = const { Cell::new(false) };
}

unsafe extern "C" fn open_folder(path: *const c_char, handle: *mut c_int) -> c_int {
    FOLDER.set(true);
    // SAFETY: the arguments are passed on as they came, to the function that was here before.
    unsafe { OPEN_FOLDER.get().expect("set before this function was")(path, handle) }
}

fn real() -> *mut ffi::sqlite3_vfs {
    REAL.get().expect("files are opened after `install`").0
}

/// Makes the watching file system this process's default, once.
pub fn install() {
    REAL.get_or_init(|| {
        // SAFETY: called before any connection is opened by a test; SQLite keeps the pointer for
        // ever, so the table is leaked. The two functions have the signatures that `os_unix.c` gives
        // the system call of this name.
        unsafe {
            assert_eq!(ffi::sqlite3_initialize(), ffi::SQLITE_OK);
            let real = ffi::sqlite3_vfs_find(std::ptr::null());
            assert!(!real.is_null());
            let get = (*real).xGetSystemCall.expect("a file system of version 3");
            let before = get(real, c"openDirectory".as_ptr()).expect("the unix file system");
            let _ = OPEN_FOLDER.set(std::mem::transmute::<unsafe extern "C" fn(), OpenFolder>(before));
            let set = (*real).xSetSystemCall.expect("a file system of version 3");
            let ours = std::mem::transmute::<OpenFolder, unsafe extern "C" fn()>(open_folder);
            assert_eq!(set(real, c"openDirectory".as_ptr(), Some(ours)), ffi::SQLITE_OK);
            // Everything that does not touch a watched file is the default one's own function. They
            // get our table as their argument, and look only at what is the same in both.
            let mut table = *real;
            table.szOsFile += size_of::<File>() as c_int;
            table.zName = c"watching".as_ptr();
            table.pNext = std::ptr::null_mut();
            table.xOpen = Some(open);
            table.xDelete = Some(delete);
            let table = Box::leak(Box::new(table));
            assert_eq!(ffi::sqlite3_vfs_register(table, 1), ffi::SQLITE_OK);
            Real(real)
        }
    });
}

/// A watched file as SQLite holds it; the default file system's own one lies behind it.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    at: *mut At,
}

struct At {
    watch: Watch,
    file: u32,
}

fn behind(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: SQLite gives `szOsFile` bytes, which are enough for both.
    unsafe { file.cast::<File>().add(1).cast() }
}

fn at<'a>(file: *mut ffi::sqlite3_file) -> &'a At {
    // SAFETY: only watched files have our methods, and `open` has set their place.
    unsafe { &*(*file.cast::<File>()).at }
}

/// Calls a method of the file behind.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        let file = behind($file);
        // SAFETY: an opened file of version 3, and the arguments that SQLite gave.
        unsafe { (*(*file).pMethods).$method.expect("a file of version 3")(file $(, $argument)*) }
    }};
}

fn path<'a>(name: *const c_char) -> Option<&'a Path> {
    // SAFETY: SQLite passes NULL or text that ends.
    (!name.is_null()).then(|| Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let through = |file| {
        // SAFETY: the arguments are passed on as they came; `file` has room for the default one's.
        unsafe { (*real()).xOpen.expect("every file system opens")(real(), name, file, flags, out) }
    };
    let Some((path, watch)) = path(name).and_then(|path| Some((path, watching(path)?))) else {
        return through(file);
    };
    // SAFETY: `file` is memory for one of our files.
    unsafe { (*file).pMethods = std::ptr::null() };
    let opened = watch.opening(path, || {
        let answer = through(behind(file));
        // SAFETY: SQLite demands that an opened file has methods, and that a failed one has none or closes.
        (answer, unsafe { !(*behind(file)).pMethods.is_null() })
    });
    let (answer, Some(number)) = opened else { return opened.0 };
    let place = Box::into_raw(Box::new(At { watch, file: number }));
    // SAFETY: as above.
    unsafe { file.cast::<File>().write(File { base: ffi::sqlite3_file { pMethods: &METHODS }, at: place }) };
    answer
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    let through = || {
        // SAFETY: the arguments are passed on as they came.
        unsafe { (*real()).xDelete.expect("every file system deletes")(real(), name, sync) }
    };
    match path(name).and_then(|path| Some((path, watching(path)?))) {
        None => through(),
        Some((path, watch)) => watch.deleting(path, || {
            FOLDER.set(false);
            let answer = through();
            (answer, FOLDER.get())
        }),
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let answer = pass!(file, xClose);
    // SAFETY: made by `open`, and SQLite closes a file once.
    drop(unsafe { Box::from_raw((*file.cast::<File>()).at) });
    answer
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, to: *mut c_void, length: c_int, from: i64) -> c_int {
    at(file).watch.reading(|| pass!(file, xRead, to, length, from))
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    length: c_int,
    to: i64,
) -> c_int {
    // SAFETY: SQLite gives `length` bytes at `data`.
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length as usize) };
    let At { watch, file: number } = at(file);
    watch.writing(*number, to as u64, bytes, |part| pass!(file, xWrite, data, part as c_int, to))
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    let At { watch, file: number } = at(file);
    watch.truncating(*number, size as u64, || pass!(file, xTruncate, size))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let At { watch, file: number } = at(file);
    watch.syncing(*number, || {
        FOLDER.set(false);
        let answer = pass!(file, xSync, flags);
        (answer, FOLDER.get())
    })
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    pass!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, out)
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, what: c_int, with: *mut c_void) -> c_int {
    pass!(file, xFileControl, what, with)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    at(file).watch.sharing(Call::Map, || pass!(file, xShmMap, region, size, extend, out))
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    at(file).watch.sharing(Call::ShmLock, || pass!(file, xShmLock, first, count, flags))
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    pass!(file, xShmBarrier);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    at(file).watch.sharing(Call::Unmap, || pass!(file, xShmUnmap, delete))
}

unsafe extern "C" fn fetch(
    file: *mut ffi::sqlite3_file,
    from: i64,
    length: c_int,
    out: *mut *mut c_void,
) -> c_int {
    pass!(file, xFetch, from, length, out)
}

unsafe extern "C" fn unfetch(file: *mut ffi::sqlite3_file, from: i64, page: *mut c_void) -> c_int {
    pass!(file, xUnfetch, from, page)
}
