package daemon

import (
	"io"
	"time"

	"github.com/go-logr/zapr"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2"
)

// Log is a logger whose level can be changed while it runs.
type Log struct {
	*zap.Logger
	level zap.AtomicLevel
}

// NewLog returns a logger that writes to w: one JSON object per line, or text
// for people. The level is one of the setting's choices.
func NewLog(w io.Writer, level, format string) *Log {
	l := &Log{level: zap.NewAtomicLevelAt(zapLevel(level))}
	enc := zapcore.NewJSONEncoder(encoding())
	if format == "console" {
		enc = zapcore.NewConsoleEncoder(encoding())
	}
	l.Logger = zap.New(zapcore.NewCore(enc, zapcore.Lock(zapcore.AddSync(w)), l.level))
	return l
}

// SetLevel changes the level from now on.
func (l *Log) SetLevel(level string) { l.level.SetLevel(zapLevel(level)) }

// RouteKlog sends what the queue's packages log through klog into l. klog has
// one logger per process, so a program calls this once.
func (l *Log) RouteKlog() {
	klog.SetLogger(zapr.NewLogger(l.Logger.With(zap.String("component", "workqueue"))))
}

func zapLevel(level string) zapcore.Level {
	var out zapcore.Level
	if err := out.UnmarshalText([]byte(level)); err != nil {
		return zapcore.InfoLevel
	}
	return out
}

func encoding() zapcore.EncoderConfig {
	return zapcore.EncoderConfig{
		TimeKey: "ts", LevelKey: "level", MessageKey: "msg", NameKey: "component",
		LineEnding:  zapcore.DefaultLineEnding,
		EncodeLevel: zapcore.LowercaseLevelEncoder,
		EncodeTime: func(t time.Time, enc zapcore.PrimitiveArrayEncoder) {
			enc.AppendString(t.UTC().Format("2006-01-02T15:04:05.000Z"))
		},
		EncodeDuration: zapcore.MillisDurationEncoder,
		EncodeName:     zapcore.FullNameEncoder,
	}
}

// Events of the daemon's own life, beside the reasons of pkg/agent. They are
// the values of the log field "event".
const (
	eventStarting = "Starting"
	eventReady    = "Ready"
	eventReloaded = "Reloaded"
	eventStopping = "Stopping"
	eventStopped  = "Stopped"
)

func event(name string) zap.Field { return zap.String("event", name) }

// quiet is a core that keeps warnings and what is worse: the toolkit's own
// account of its start is said better by us.
func quiet(core zapcore.Core) zapcore.Core {
	c, err := zapcore.NewIncreaseLevelCore(core, zapcore.WarnLevel)
	if err != nil { // the core is stricter already
		return core
	}
	return c
}
