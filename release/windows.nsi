; The folder of release/windows_folder.py as an installer, for all users. No service, no driver, no file association.
Target amd64-unicode ; medimg itself is for 64 bits
Unicode true
Name "medimg ${VERSION}"
OutFile "${TARGET}"
InstallDir "$PROGRAMFILES64\medimg"
RequestExecutionLevel admin
SetCompressor zlib ; lzma makes it smaller, and takes minutes
Page directory
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

Section
  SetShellVarContext all ; else the entry would stand in the menu of whoever installs it
  SetOutPath "$INSTDIR"
  File /r "${FOLDER}/*"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\medimg.lnk" "$INSTDIR\python\pythonw.exe" "-P -m medimg desktop"
  WriteRegStr HKLM "Software\Microsoft\Windows\CurrentVersion\Uninstall\medimg" "DisplayName" "medimg ${VERSION}"
  WriteRegStr HKLM "Software\Microsoft\Windows\CurrentVersion\Uninstall\medimg" "UninstallString" '"$INSTDIR\uninstall.exe"'
SectionEnd

Section "Uninstall"
  SetShellVarContext all
  Delete "$SMPROGRAMS\medimg.lnk"
  ; Only what was put there: run folders lie elsewhere, and what a person put into this folder stays.
  RMDir /r "$INSTDIR\python"
  Delete "$INSTDIR\medimg.cmd"
  Delete "$INSTDIR\medimg-desktop.cmd"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  DeleteRegKey HKLM "Software\Microsoft\Windows\CurrentVersion\Uninstall\medimg"
SectionEnd
