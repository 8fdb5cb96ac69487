// What Wine 8 lacks of Windows and Bun needs. It is built as `bcryptprimitives.dll`, which Bun's runtime imports and Wine
// does not have, and lies beside each program that is started; so it is loaded before the program runs.
#include <windows.h>
#include <winternl.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);

// Random bytes. The one function that Bun imports from the DLL of this name.
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) {
  while (count > 0) {
    ULONG now = count > 65536 ? 65536 : (ULONG)count;
    SystemFunction036(bytes, now);
    bytes += now;
    count -= now;
  }
  return TRUE;
}

// Windows 10 removes a file by flags (`FileDispositionInformationEx`, since 1607). Wine 8 answers that this is not
// implemented, which no Windows does, so that Bun's `rm` of a folder fails with EFAULT. Here the older call does it.
typedef NTSTATUS(NTAPI *SetInformation)(HANDLE, PIO_STATUS_BLOCK, PVOID, ULONG, ULONG);
static SetInformation original;

static NTSTATUS NTAPI setInformation(HANDLE file, PIO_STATUS_BLOCK status, PVOID data, ULONG size, ULONG what) {
  NTSTATUS result = original(file, status, data, size, what);
  if (result != (NTSTATUS)0xC0000002 || what != 64) return result;
  BOOLEAN removes = *(ULONG *)data & 1;
  return original(file, status, &removes, sizeof removes, 13);
}

// Puts our function in the place of an imported one, in the table of imports of the program.
static void replaceImport(const char *library, const char *name, void *by, void **before) {
  BYTE *base = (BYTE *)GetModuleHandleW(NULL);
  IMAGE_NT_HEADERS *headers = (IMAGE_NT_HEADERS *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
  DWORD table = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress;
  if (table == 0) return;
  for (IMAGE_IMPORT_DESCRIPTOR *from = (IMAGE_IMPORT_DESCRIPTOR *)(base + table); from->Name; from++) {
    if (lstrcmpiA((const char *)(base + from->Name), library) != 0) continue;
    IMAGE_THUNK_DATA *names = (IMAGE_THUNK_DATA *)(base + from->OriginalFirstThunk);
    IMAGE_THUNK_DATA *places = (IMAGE_THUNK_DATA *)(base + from->FirstThunk);
    for (; names->u1.AddressOfData; names++, places++) {
      if (IMAGE_SNAP_BY_ORDINAL(names->u1.Ordinal)) continue;
      IMAGE_IMPORT_BY_NAME *entry = (IMAGE_IMPORT_BY_NAME *)(base + names->u1.AddressOfData);
      if (lstrcmpA((const char *)entry->Name, name) != 0) continue;
      DWORD protection;
      VirtualProtect(places, sizeof *places, PAGE_READWRITE, &protection);
      *before = (void *)places->u1.Function;
      places->u1.Function = (ULONG_PTR)by;
      VirtualProtect(places, sizeof *places, protection, &protection);
    }
  }
}

BOOL WINAPI DllMain(HINSTANCE library, DWORD reason, LPVOID reserved) {
  (void)library;
  (void)reserved;
  if (reason == DLL_PROCESS_ATTACH)
    replaceImport("ntdll.dll", "NtSetInformationFile", (void *)setInformation, (void **)&original);
  return TRUE;
}
