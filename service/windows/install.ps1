<#
.SYNOPSIS
    Installs netcluster as a Windows service, or brings an installed one up to date.
.DESCRIPTION
    Copies this folder's programs to "Program Files\netcluster", makes %ProgramData%\netcluster with a
    configuration if there is none, installs the service and starts it. For administrators. Running it
    again is an upgrade: the configuration, the keys and the logs are left as they are.
.PARAMETER Config
    The configuration that the service reads. Without it: the one in force, else
    %ProgramData%\netcluster\config.json.
.PARAMETER Firewall
    Adds a rule to the firewall that lets UDP datagrams in for ncserver.exe.
.PARAMETER FirewallPort
    The port of that rule (as in the configuration).
.PARAMETER Path
    Adds the folder to the system's PATH.
.PARAMETER NoStart
    Installs, and starts nothing that did not run before.
.PARAMETER Uninstall
    Stops and removes the service, the programs, the firewall rule and the PATH entry.
    %ProgramData%\netcluster is left as it is.
.EXAMPLE
    powershell -ExecutionPolicy Bypass -File install.ps1 -Firewall -Path
#>
[CmdletBinding()]
param(
    [string] $Config = '',
    [switch] $Firewall,
    [int] $FirewallPort = 4454,
    [switch] $Path,
    [switch] $NoStart,
    [switch] $Uninstall
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$target = Join-Path $env:ProgramFiles 'netcluster'
$ncserver = Join-Path $target 'ncserver.exe'
$ruleName = 'netcluster'

function Assert-Administrator {
    $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object Security.Principal.WindowsPrincipal($identity)
    $role = [Security.Principal.WindowsBuiltInRole]::Administrator
    if (-not $principal.IsInRole($role)) {
        throw 'this is for administrators: start PowerShell with "Run as administrator"'
    }
}

# Runs ncserver.exe and stops here when it says that it has failed.
function Invoke-Ncserver {
    & $ncserver @args
    if ($LASTEXITCODE -ne 0) {
        throw "ncserver $($args[0]) failed (exit status $LASTEXITCODE)"
    }
}

function Get-ServiceOrNull {
    Get-Service -Name 'netcluster' -ErrorAction SilentlyContinue
}

# ---- PATH: read and written unexpanded, so that %SystemRoot% in it stays what it is.

function Open-EnvironmentKey {
    $name = 'SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
    [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($name, $true)
}

function Set-MachinePath([bool] $wanted) {
    $key = Open-EnvironmentKey
    try {
        $options = [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames
        $before = [string] $key.GetValue('Path', '', $options)
        $entries = @($before.Split(';') | Where-Object { $_ -ne '' })
        $others = @($entries | Where-Object { $_.TrimEnd('\') -ne $target })
        if ($wanted -eq ($others.Count -lt $entries.Count)) { return }
        if ($wanted) { $others += $target }
        $key.SetValue('Path', ($others -join ';'), [Microsoft.Win32.RegistryValueKind]::ExpandString)
        Write-Host 'PATH is changed; programs see it after the next logon'
    } finally {
        $key.Close()
    }
}

# ---- the firewall

function Remove-Rule {
    Get-NetFirewallRule -Name $ruleName -ErrorAction SilentlyContinue | Remove-NetFirewallRule
}

function Add-Rule {
    Remove-Rule
    New-NetFirewallRule -Name $ruleName -DisplayName 'netcluster (UDP in)' -Direction Inbound `
        -Protocol UDP -LocalPort $FirewallPort -Program $ncserver -Action Allow `
        -Profile Domain, Private | Out-Null
    Write-Host "firewall: UDP port $FirewallPort is open for $ncserver in domain and private networks"
}

# ---- the programs: a file that is in use can be renamed, not overwritten. Windows itself uses
# ncserver.exe, for the texts of the event log, and lets go of it when it likes.

$aside = @{}  # where each program is while its successor takes its place

function Move-ProgramsAside {
    foreach ($file in @(Get-ChildItem -LiteralPath $target -Filter '*.exe')) {
        $name = '{0}.{1}.old' -f $file.FullName, [Guid]::NewGuid().ToString('N')
        [IO.File]::Move($file.FullName, $name)
        $aside[$file.FullName] = $name
    }
}

function Restore-Programs {
    foreach ($file in @($aside.Keys)) {
        if (Test-Path -LiteralPath $file) { Remove-Item -LiteralPath $file -Force }
        [IO.File]::Move($aside[$file], $file)
    }
}

# Those of earlier times among them; what is still in use is left to the next time.
function Remove-OldPrograms {
    Get-ChildItem -LiteralPath $target -Filter '*.old' |
        Remove-Item -Force -ErrorAction SilentlyContinue
}

# What looks through new files (a virus scanner) holds them for a moment.
function Copy-Programs {
    $deadline = (Get-Date).AddSeconds(5)
    for (;;) {
        try {
            Get-ChildItem -LiteralPath $PSScriptRoot |
                Copy-Item -Destination $target -Recurse -Force
            break
        } catch {
            if ((Get-Date) -gt $deadline) { throw }
            Start-Sleep -Milliseconds 250
        }
    }
    # What came out of a downloaded zip carries a mark, and would be asked about each time.
    Get-ChildItem -LiteralPath $target -Recurse -File | Unblock-File
}

# ---- the two things it does

function Install-Netcluster {
    $running = $false
    $service = Get-ServiceOrNull
    $done = $false
    try {
        if ($null -ne $service -and $service.Status -ne 'Stopped') {
            $running = $true
            # "Stopped" comes a moment before the program's end, for which its own command waits.
            if (Test-Path -LiteralPath $ncserver) { Invoke-Ncserver 'stop' }
            else { Stop-Service -Name 'netcluster' }
        }
        New-Item -ItemType Directory -Force -Path $target | Out-Null
        Move-ProgramsAside
        Copy-Programs

        $words = @('install')
        if ($Config -ne '') { $words += (Resolve-Path -LiteralPath $Config).ProviderPath }
        Invoke-Ncserver @words
        if ($Firewall) { Add-Rule }
        if ($Path) { Set-MachinePath $true }
        $done = $true
    } finally {
        # Half an upgrade is none: what ran before runs again.
        if (-not $done) {
            try {
                Restore-Programs
                if ($running) { Invoke-Ncserver 'start' }
            } catch {
                Write-Warning "and what was there before is not back: $_"
            }
        }
    }
    Remove-OldPrograms
    if (-not $NoStart -or $running) { Invoke-Ncserver 'start' }
}

function Uninstall-Netcluster {
    if (Test-Path -LiteralPath $ncserver) {
        Invoke-Ncserver 'uninstall'
    } elseif ($null -ne (Get-ServiceOrNull)) {
        throw "$ncserver is missing; remove the service by: sc.exe delete netcluster"
    }
    Remove-Rule
    Set-MachinePath $false
    # A folder that somebody is in cannot be removed. PowerShell's and the process's are two.
    Set-Location -LiteralPath "$env:SystemDrive\"
    [Environment]::CurrentDirectory = "$env:SystemDrive\"
    if (Test-Path -LiteralPath $target) {
        Remove-Item -LiteralPath $target -Recurse -Force -ErrorAction SilentlyContinue
    }
    if (Test-Path -LiteralPath $target) {
        Write-Warning ("$target is still in use, by the Event Viewer or a prompt that is in it: " +
            'remove it later, at the latest after a restart of Windows')
    }
    Write-Host "removed; the configuration, keys and logs are still in $env:ProgramData\netcluster"
}

Assert-Administrator
if (-not [Environment]::Is64BitProcess) {
    throw 'this is a 32-bit PowerShell; start the 64-bit one (its "Program Files" is another)'
}
if ($PSScriptRoot -eq $target -and -not $Uninstall) {
    throw "this is the installed copy; run install.ps1 of the zip that you have unpacked"
}
if ($Uninstall) { Uninstall-Netcluster } else { Install-Netcluster }
