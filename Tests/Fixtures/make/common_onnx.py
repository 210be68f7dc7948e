import os, tempfile, collections, numpy as np, onnx, onnxruntime as ort
from onnx import helper as h, numpy_helper as nh, TensorProto as T
OUT=os.environ.get('OUT',os.path.dirname(os.path.dirname(os.path.abspath(__file__))))+'/onnx/'
os.makedirs(OUT,exist_ok=True)
def vi(n,t,s): return h.make_tensor_value_info(n,t,s)
def model(nodes,ins,outs,inits,opset=13,ms=False,ir=8):
    ops=[h.make_opsetid('',opset)]
    if ms: ops.append(h.make_opsetid('com.microsoft',1))
    g=h.make_graph(nodes,'g',ins,outs,inits)
    m=h.make_model(g,opset_imports=ops,ir_version=ir,producer_name='golden')
    return m
def sess(m,level=None,opt_path=None,cfg=None):
    so=ort.SessionOptions(); so.intra_op_num_threads=1; so.log_severity_level=3
    if level is not None: so.graph_optimization_level=level
    if opt_path: so.optimized_model_filepath=opt_path
    for k,v in (cfg or {}).items(): so.add_session_config_entry(k,v)
    b=m.SerializeToString() if hasattr(m,'SerializeToString') else m
    return ort.InferenceSession(b,so,providers=['CPUExecutionProvider'])
def fused_ops(m,level=ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,cfg=None):
    with tempfile.TemporaryDirectory() as d:
        p=d+'/o.onnx'; sess(m,level,p,cfg); mm=onnx.load(p)
        return [(n.domain+'::' if n.domain else '')+n.op_type for n in mm.graph.node]
def run(m,feeds,level=None,cfg=None): return sess(m,level,None,cfg).run(None,feeds)
def save(m,name,**arrs):
    onnx.checker.check_model(m) if not any(o.domain for o in m.opset_import) else None
    onnx.save(m,OUT+name+'.onnx'); np.savez(OUT+name+'.npz',**arrs)
def ql(x,s,z,lo,hi,dt): # ONNX QuantizeLinear: half-to-even of x/s in f32, + zp, saturate
    return np.clip(np.rint(x.astype(np.float32)/np.float32(s))+np.float32(z),lo,hi).astype(dt)
