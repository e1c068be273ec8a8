/* Stands in for Windows' bcryptprimitives.dll under Wine 8, for tests only: std's random bytes come
   from ProcessPrng there, and Wine offers the same bytes as SystemFunction036 of advapi32. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
    return SystemFunction036(data, (ULONG)length);
}
